// The frontend module of the bus's arms. It calls, and then runs loops on request.
import { Channel, expose, invoke } from '@sallyport/frontend'
import { createMeasure } from '../loops/calls.js'

await invoke('greet', { name: 'World' })
expose({
  measure: createMeasure({
    call: (command, args) => invoke(command, args as object),
    stream: (command, count, receive) => invoke(command, { count, channel: new Channel(receive) }),
  }),
})
