// The frontend module of the bus's arms. It calls, and then runs loops on request. With `?place=` in its URL, it only listens.
import { Channel, emit, invoke, listen } from '@sallyport/frontend'
import { countFan, FAN_SEEN, FAN_SIZES, fanEvent } from '../loops/handlers.js'
import { BENCH_EVENT, createLoops, serve, type Ready, type Request } from '../loops/serve.js'
import type { Subject } from '../loops/subject.js'
import { sharedClock } from '../shared/clock.js'

const subject: Subject = {
  call: (command, args) => invoke(command, args as object),
  transfer: (command, bytes) => invoke(command, bytes, { transfer: [bytes.buffer] }),
  emit,
  listen: (event, receive) => listen(event, ({ payload }) => receive(payload)),
  stream: (command, count, receive) => invoke(command, { count, channel: new Channel(receive) }),
}

async function measureOnRequest(): Promise<void> {
  await invoke('greet', { name: 'World' })
  const ready: Ready = { at: sharedClock() }

  const answer = serve(createLoops(subject))
  // If a run is stopped, the bus can close before the reply.
  await listen<Request>(BENCH_EVENT.request, async ({ payload }) => {
    await emit(BENCH_EVENT.reply, await answer(payload)).catch(() => {})
  })
  await emit(BENCH_EVENT.ready, ready)
}

/** Counts bursts to more than `place` frontends. The measuring frontend has place 0. */
async function onlyListen(place: number): Promise<void> {
  for (const size of FAN_SIZES) {
    if (size <= place) continue
    const count = countFan(report => emit(FAN_SEEN, report))
    await listen(fanEvent(size), ({ payload }) => count(payload))
  }
  await emit(BENCH_EVENT.listening)
}

const { searchParams } = new URL(import.meta.url)
const place = searchParams.get('place')
if (place !== null) await onlyListen(Number(place))
else await measureOnRequest()
