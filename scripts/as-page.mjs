// Set-up of tests with the files for browsers: they run as in a page whose host is being developed, which its greeting says.
import { setDevelopment } from '../packages/protocol/src/util/platform.browser.js'

setDevelopment(true)
