// The frontend module of the bus's arms, heard on its diagnostics channels. It fails where its first call was not.
import { hear } from './hear.js'

const heard = hear('invoke')
await import('./bus-frontend.js')
if (heard.start === 0 || heard.asyncEnd === 0) throw new Error('the frontend has not been heard')
