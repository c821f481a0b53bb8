import { Title } from '@mantine/core'

/** Where the picture tells by itself which page it is, but a heading has to be there to be found. */
export const HiddenTitle = ({ text }: { text: string }) => (
  <Title order={1} className="visually-hidden">
    {text}
  </Title>
)
