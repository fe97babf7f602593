// The frontend module of the bus's arms. It calls, and then runs loops on request.
import { Channel, emit, invoke, listen } from '@sallyport/frontend'
import { BENCH_EVENT, createLoops, serve, type Request } from '../loops/serve.js'
import type { Subject } from '../loops/subject.js'

const subject: Subject = {
  call: (command, args) => invoke(command, args as object),
  transfer: (command, bytes) => invoke(command, bytes, { transfer: [bytes.buffer] }),
  stream: (command, count, receive) => invoke(command, { count, channel: new Channel(receive) }),
}

await invoke('greet', { name: 'World' })
const answer = serve(createLoops(subject))
// If a run is stopped, the bus can close before the reply.
await listen<Request>(BENCH_EVENT.request, async ({ payload }) => {
  await emit(BENCH_EVENT.reply, await answer(payload)).catch(() => {})
})
await emit(BENCH_EVENT.ready)
