// A frontend in a worker of a joined process, which controls it over a BroadcastChannel.
import { getData, invoke } from '@sallyport/frontend'
import { BroadcastChannel } from 'node:worker_threads'
import { Load } from './load.mjs'

const channel = new BroadcastChannel(`frontend ${getData().label}`)
let load
const methods = {
  load: options => void (load = new Load(options.name, invoke, options)),
  answered: () => load?.answered ?? 0,
  settle: () => load.stop(),
  invoke: ({ command, args, options }) => invoke(command, args, options),
}
const answer = async ({ method, args }) => channel.postMessage({ answer: { result: await methods[method](args) } })
channel.onmessage = ({ data }) => void (data.method && answer(data))
channel.postMessage({ answer: { result: 'ready' } })
