// Calls a command, and passes its error on.
import { expose, invoke } from '@sallyport/frontend'

expose({ notify: () => invoke('notify', { text: 'hello' }) })
