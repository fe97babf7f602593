// @ts-check
// A frontend that can send events. It opens the door, tries events that are refused, and starts the siege.
import { emit, invoke } from '@sallyport/frontend'
import { remoteActor } from './remote-actor.js'

/** @type {Awaited<ReturnType<typeof remoteActor<import('./core.js').PortView, import('./core.js').PortEvent>>>} */
const port = await remoteActor('port')

/** Resolves with the next snapshot of this state. @param {string} value */
const until = value =>
  new Promise(resolve => {
    const { unsubscribe } = port.subscribe(snapshot => {
      if (snapshot.value !== value) return
      unsubscribe()
      resolve(undefined)
    })
  })

const opened = until('open')
await port.send({ type: 'OPEN', door: 'outer', watchword: 'drawbridge' }) // wrong: the machine stays shut
await port.send({ type: 'OPEN', door: 'outer', watchword: 'portcullis' })
await opened
await until('shut') // by itself

for (const event of [{ type: 'SIEGE' }, { type: 'xstate.stop' }, { type: 'OPEN', door: 'trap', watchword: '' }]) {
  await port.send(/** @type {any} */ (event)).catch(error => console.log(`guard: ${error.message}`))
}
const over = new Promise(complete => port.subscribe({ complete: () => complete(undefined) }))
await invoke('siege')
await over
console.log('guard: it is', port.getSnapshot().value)
await emit('done')
