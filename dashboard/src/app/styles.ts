// In this order: what stands later wins.
import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'

import './global.css'
