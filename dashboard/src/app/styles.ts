// Mantine's in a layer: ours win over them in whatever order the build links the files.
import '@mantine/core/styles.layer.css'
import '@mantine/notifications/styles.layer.css'

import './global.css'
