import {
  Anchor,
  createTheme,
  type CSSVariablesResolver,
  Modal,
  Notification,
  Tooltip,
} from '@mantine/core'

export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.125rem' } },
  },
  components: {
    Anchor: Anchor.extend({ defaultProps: { underline: 'hover' } }),
    Modal: Modal.extend({ styles: { title: { fontWeight: 600 } } }),
    // As legible as all else: Mantine takes a grey of its own for it.
    Notification: Notification.extend({
      styles: { description: { color: 'var(--mantine-color-dimmed)' } },
    }),
    Tooltip: Tooltip.extend({
      defaultProps: { openDelay: 300, events: { hover: true, focus: true, touch: false } },
    }),
  },
})

/** Mantine's own are too pale to be read by everybody: these are at least 4.5 : 1 on the page's ground. */
export const legible: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5c6570',
    '--mantine-color-placeholder': '#6b747d',
    '--mantine-color-error': '#c92a2a',
  },
  dark: {
    '--mantine-color-dimmed': '#a6a6a6',
    '--mantine-color-placeholder': '#969696',
    '--mantine-color-error': '#ff8787',
    // These come out white, so that in the dark nothing told a button that removes from any other.
    '--mantine-color-red-light-color': 'var(--mantine-color-red-4)',
    '--mantine-color-blue-light-color': 'var(--mantine-color-blue-4)',
  },
})
