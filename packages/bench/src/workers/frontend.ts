// The frontend modules of the bus's arms. By default one calls, reports when the answer came, and then runs loops on request. With
// `?place=` in its URL it only listens; with `?traced` it subscribes to its diagnostics channels first.
import { Channel, emit, invoke, listen, type CommandArguments } from '@sallyport/frontend'
import { subscribe } from 'node:diagnostics_channel'
import { countFan, crashAt, CRASH_DELAY_US, FAN_SEEN, FAN_SIZES, fanEvent, sharedClock } from '../loops/handlers.js'
import { BENCH_EVENT, createLoops, serve, type Ready, type Request } from '../loops/serve.js'
import type { Poured, Subject } from '../loops/subject.js'

const subject: Subject = {
  call: (command, args) => invoke(command, args as CommandArguments),
  callUntil: (command, args, signal) => invoke(command, args as CommandArguments, { signal }),
  transfer: (command, bytes) => invoke(command, bytes, { transfer: [bytes.buffer] }),
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

async function measureOnRequest(): Promise<void> {
  await invoke('greet', { name: 'World' })
  const ready: Ready = { at: sharedClock() }

  const answer = serve(createLoops(subject))
  // When a run is stopped, the bus may close before the answer.
  await listen<Request>(BENCH_EVENT.request, async ({ payload }) => {
    await emit(BENCH_EVENT.reply, await answer(payload)).catch(() => {})
  })
  await listen(BENCH_EVENT.crash, async () => {
    let at: number
    // Core has passed the announcement on when it answers. On a busy machine that can be too late: then the crash is postponed.
    do {
      at = sharedClock() + CRASH_DELAY_US
      await emit(BENCH_EVENT.crashing, at)
      await invoke('greet', { name: 'World' })
    } while (sharedClock() >= at)
    crashAt(at)
  })
  await emit(BENCH_EVENT.ready, ready)
}

/** Counts every burst that is sent to enough frontends to reach this one; the measuring frontend has place 0. */
async function onlyListen(place: number): Promise<void> {
  for (const size of FAN_SIZES) {
    if (size <= place) continue
    const count = countFan(report => emit(FAN_SEEN, report))
    await listen(fanEvent(size), ({ payload }) => count(payload))
  }
  await emit(BENCH_EVENT.listening)
}

/** Counts the events of all five diagnostics channels. Fails unless they report the first call. */
async function measureTraced(): Promise<void> {
  const counts = { start: 0, end: 0, asyncStart: 0, asyncEnd: 0, error: 0 }
  for (const event of Object.keys(counts) as (keyof typeof counts)[])
    subscribe(`tracing:sallyport.invoke:${event}`, () => counts[event]++)
  await measureOnRequest()
  if (counts.start === 0 || counts.asyncEnd === 0) throw new Error('The diagnostics channels did not report the call')
}

const { searchParams } = new URL(import.meta.url)
const place = searchParams.get('place')
if (place !== null) await onlyListen(Number(place))
else if (searchParams.has('traced')) await measureTraced()
else await measureOnRequest()
