// A frontend that uses each way of the bus, and tells the host what came.
import { Channel, emit, invoke, listen, stream } from '@sallyport/frontend'
import { WORLD } from './names.mjs'

const counted = []
for await (const number of stream('count', { to: 3 })) counted.push(number)
let heard
const answered = new Promise(resolve => (heard = resolve))
await listen('answer', event => heard(event.payload))
await emit('ask', 'asked')
const refused = await invoke('refused').catch(error => error.reason)

await emit('done', {
  greeting: await invoke('greet', { name: WORLD }),
  counted,
  answered: await answered,
  bytes: [...(await invoke('reverse', { bytes: new Uint8Array([1, 2, 3]) }))],
  refused,
  channel: typeof new Channel().id,
})
