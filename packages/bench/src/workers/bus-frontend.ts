// The frontend module of the bus's arms: calls once, tells when the answer came, and then runs the loops it is asked for.
import { Channel, emit, invoke, listen, type CommandArguments } from '@sallyport/frontend'
import { BENCH_EVENT, sharedClock, type Ready } from './bench-event.js'
import { crashSoon } from './crash.js'
import { loopsOf } from './loops.js'
import { serve, type Request } from './serve.js'
import type { Poured } from './slow-consumer.js'
import type { Subject } from './subject.js'

const subject: Subject = {
  call: (command, args) => invoke(command, args as CommandArguments),
  callUntil: (command, args, signal) => invoke(command, args as CommandArguments, { signal }),
  give: (command, bytes) => invoke(command, bytes, { transfer: [bytes.buffer] }),
  emit,
  listen: (event, receive) => listen(event, ({ payload }) => receive(payload)),
  pour: async (count, take) => {
    const channel = new Channel()
    const poured = invoke<Poured>('pour', { count, channel })
    for await (const message of channel) await take(message)
    return poured
  },
  stream: (command, count, receive) => invoke(command, { count, channel: new Channel(receive) }),
}

await invoke('greet', { name: 'World' })
const ready: Ready = { at: sharedClock() }

const answer = serve(loopsOf(subject))
// When a run is stopped, the bus may be gone before the answer.
await listen<Request>(BENCH_EVENT.request, async ({ payload }) => {
  await emit(BENCH_EVENT.reply, await answer(payload)).catch(() => {})
})
await listen(BENCH_EVENT.crash, () => void emit(BENCH_EVENT.crashing, crashSoon()))
await emit(BENCH_EVENT.ready, ready)
