// The frontend module of the bus's arms. It calls, and then runs loops on request.
import { expose, invoke } from '@sallyport/frontend'
import { createMeasure } from '../loops/calls.js'

await invoke('greet', { name: 'World' })
expose({ measure: createMeasure((command, args) => invoke(command, args as object)) })
