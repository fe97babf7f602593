// @ts-check
// A frontend that can only follow the machine.
import { expose } from '@sallyport/frontend'
import { remoteActor } from './remote-actor.js'

/** @type {Awaited<ReturnType<typeof remoteActor<import('./core.js').PortView, import('./core.js').PortEvent>>>} */
const port = await remoteActor('port')

/** @param {ReturnType<typeof port.getSnapshot>} snapshot */
const print = ({ value, draught, passages }) =>
  console.log(`watcher: ${value}${draught ? ', there is a draught' : ''}; passages: ${passages}`)

print(port.getSnapshot())
port.subscribe(print)
await port.send({ type: 'SHUT' }).catch(error => console.log(`watcher: ${error.reason}`))
const over = new Promise(complete => port.subscribe({ complete: () => complete(undefined) }))
expose({ over: () => over })
