// The entry of a frontend worker. It imports one file of the bundle, and no package: Node takes a millisecond to resolve each.
import { runFrontendThread } from './runtime/frontend-thread.js'

runFrontendThread(() => import('./index.js'))
