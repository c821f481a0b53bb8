import { Anchor, Code, Paper, Stack, Text, Title } from '@mantine/core'
import { Link } from 'react-router'

import { useMay } from '#/api/context'
import { paths } from '#/lib/paths'
import { CopyButton } from '#/ui/CopyButton'

import classes from './PoolsBegin.module.css'

const INSTRUMENT = `import mooring

mooring.instrument(engine, service="shop")`

const environment = () => `MOORING_SERVER=${document.baseURI.replace(/\/$/, '')}
MOORING_TOKEN=`

/** How a program begins to report its pools, as long as none does. */
export function PoolsBegin() {
  return (
    <section className={classes.begin} aria-label="Begin">
      <Stack gap={4}>
        <Title order={2}>No program reports a pool yet</Title>
        <Text c="dimmed" size="sm">
          A pool shows who holds its connections, who leaks them, and when they run out. Two steps,
          and it stands here within half a minute of the program’s start.
        </Text>
      </Stack>
      <ol className={classes.steps}>
        <li>
          <Text size="sm">
            <b>In the program</b>, after the pool is made. An engine of SQLAlchemy, a pool of
            psycopg, asyncpg, aiomysql, a client of Redis or MongoDB: any of them will do.
          </Text>
          <Copied text={INSTRUMENT} what="the lines for the program" />
        </li>
        <li>
          <Text size="sm">
            <b>In its environment</b>, this server and a token of the role reporter, which can do
            nothing but this. <WhereFrom />
          </Text>
          <Copied text={environment()} what="the lines for the environment" />
        </li>
      </ol>
    </section>
  )
}

function WhereFrom() {
  const { administer } = useMay()
  if (!administer) return 'An admin of this server makes one.'
  return (
    <Anchor component={Link} to={paths.tokens()} inherit underline="always">
      Make one
    </Anchor>
  )
}

function Copied({ text, what }: { text: string; what: string }) {
  return (
    <Paper withBorder px="sm" py={6} className={classes.code ?? ''}>
      <Code block bg="transparent" p={0}>
        {text}
      </Code>
      <CopyButton value={text} what={what} />
    </Paper>
  )
}
