// The core module of the bus's arms: what raw-echo.ts does over a bare port, as commands.
import { defineCore, transfer, type App, type Channel, type CommandContext, type CoreDefinition } from '@sallyport/core'
import { sharedClock } from './bench-event.js'
import { Waiting } from './cancel.js'
import { CoreClock } from './core-clock.js'
import { crashSoon } from './crash.js'
import { FAN_SEEN, FanOut, type FanSeen } from './fan-out.js'
import {
  BACKEND_EVENT,
  eachEvent,
  echo,
  EVENT_PAYLOAD,
  fail,
  FRONTEND_EVENT,
  greet,
  progress,
  readKib,
  wideProgress,
  work,
} from './handlers.js'
import type { Poured } from './slow-consumer.js'

const born = sharedClock()
let events = 0
let poured = 0
const fan = new FanOut()
const clock = new CoreClock()
const waiting = new Waiting()

const commands = {
  greet,
  clocked_greet: (args: { name: string }): string => {
    clock.tick()
    return greet(args)
  },
  scoped_greet: (args: { name: string }, { scope }: CommandContext): string => {
    if (!scope.matches(entry => (entry as { name: string }).name === args.name)) throw new Error('not a name to greet')
    return greet(args)
  },
  logged_greet: (args: { name: string }, { log }: CommandContext): string => {
    log.debug({ name: args.name }, 'asked')
    log.info({ name: args.name }, 'greeted')
    return greet(args)
  },
  clock_start: (): void => clock.start(),
  clock_stop: (): object => clock.stop(),
  read_kib: readKib,
  work,
  wait: ({ id }: { id: number }, { signal }: CommandContext): Promise<never> => waiting.wait(id, signal),
  waits: ({ id }: { id: number }): boolean => waiting.waits(id),
  heard: ({ id }: { id: number }): Promise<number> | undefined => waiting.heard(id),
  fail,
  echo,
  echo_bytes: (_: unknown, { request }: CommandContext): unknown => request.body,
  give_back: (_: unknown, { request }: CommandContext): object => transfer(request.body as Uint8Array),
  burst: ({ count }: { count: number }, { app }: CommandContext): void => {
    for (let sent = 0; sent < count; sent++) app.emit(BACKEND_EVENT, EVENT_PAYLOAD)
  },
  burst_each: ({ count, listeners }: { count: number; listeners: number }, { app }: CommandContext): void => {
    for (let sent = 0; sent < count; sent++) app.emit(eachEvent(sent % listeners), EVENT_PAYLOAD)
  },
  fan_out: ({ count, frontends }: { count: number; frontends: number }, { app }: CommandContext): Promise<number> =>
    fan.send(count, frontends, app.emit),
  seen: (): number => {
    const seen = events
    events = 0
    return seen
  },
  download: async ({ count, channel }: { count: number; channel: Channel }): Promise<void> => {
    for (let chunk = 0; chunk < count; chunk++) await channel.send(progress(chunk))
  },
  pour: async ({ count, channel }: { count: number; channel: Channel }): Promise<Poured> => {
    const start = performance.now()
    let waited = 0
    for (poured = 0; poured < count; poured++) {
      const before = performance.now()
      await channel.send(wideProgress(poured))
      waited += performance.now() - before
    }
    channel.end()
    return { waited: (waited / (performance.now() - start)) * 100 }
  },
  poured: (): number => poured,
  crash: crashSoon,
  born: (): number => born,
}

const core: CoreDefinition = defineCore({
  commands,
  setup: (app: App): void => {
    app.listen(FRONTEND_EVENT, () => events++)
    app.listen<FanSeen>(FAN_SEEN, ({ payload }) => fan.seen(payload))
  },
})

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
