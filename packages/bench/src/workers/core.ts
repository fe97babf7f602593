// The core module of the bus's arms: what `answerRaw` does over a bare port, as commands. `?greet=` in its URL selects another
// `greet`: one whose arguments have a schema of `zod` or `valibot`, or one that is `traced`.
import {
  command,
  defineCore,
  transfer,
  type App,
  type Channel,
  type CommandContext,
  type CoreDefinition,
} from '@sallyport/core'
import { subscribe } from 'node:diagnostics_channel'
import * as handlers from '../loops/handlers.js'
import { ArrivalClock, type Poured } from '../loops/subject.js'

type Greet = typeof handlers.greet

const { greet } = handlers
const born = handlers.sharedClock()
const clock = new ArrivalClock()
let app: App
let poured = 0
const backend = handlers.createBackend(() => app.emit)

const commands = {
  ...backend.commands,
  greet: await selectGreet(new URL(import.meta.url).searchParams.get('greet')),
  clocked_greet: (args: { name: string }): string => {
    clock.record()
    return greet(args)
  },
  scoped_greet: (args: { name: string }, { scope }: CommandContext): string => {
    if (!scope.matches(entry => (entry as { name: string }).name === args.name)) throw new Error('Name not in scope')
    return greet(args)
  },
  logged_greet: (args: { name: string }, { log }: CommandContext): string => {
    log.debug({ name: args.name }, 'asked')
    log.info({ name: args.name }, 'greeted')
    return greet(args)
  },
  clock_start: (): void => clock.start(),
  clock_stop: (): object => clock.stop(),
  wait: (args: { id: number }, { signal }: CommandContext): Promise<never> => backend.wait(args, signal),
  echo_bytes: (_: unknown, { request }: CommandContext): unknown => request.body,
  transfer_back: (_: unknown, { request }: CommandContext): object => transfer(request.body as Uint8Array),
  download: async ({ count, channel }: { count: number; channel: Channel }): Promise<void> => {
    for (let chunk = 0; chunk < count; chunk++) await channel.send(handlers.progress(chunk))
  },
  pour: async ({ count, channel }: { count: number; channel: Channel }): Promise<Poured> => {
    const start = performance.now()
    let waited = 0
    for (poured = 0; poured < count; poured++) {
      const before = performance.now()
      await channel.send(handlers.wideProgress(poured))
      waited += performance.now() - before
    }
    channel.end()
    return { waited: (waited / (performance.now() - start)) * 100 }
  },
  poured: (): number => poured,
  crash: handlers.crashSoon,
  born: (): number => born,
}

/** The schemas accept what `usualCall` sends. */
async function selectGreet(variant: string | null): Promise<NonNullable<CoreDefinition['commands']>[string]> {
  if (variant === 'zod') {
    const { z } = await import('zod')
    const args = z.object({ name: z.string(), n: z.number().optional(), tags: z.array(z.string()).optional() })
    return command({ args }, greet)
  }
  if (variant === 'valibot') {
    const v = await import('valibot')
    const args = v.object({ name: v.string(), n: v.optional(v.number()), tags: v.optional(v.array(v.string())) })
    return command({ args }, greet)
  }
  return variant === 'traced' ? traceGreet() : greet
}

/** Counts the events of all five diagnostics channels. Fails a call whose start they did not report. */
function traceGreet(): Greet {
  const counts = { start: 0, end: 0, asyncStart: 0, asyncEnd: 0, error: 0 }
  for (const event of Object.keys(counts) as (keyof typeof counts)[])
    subscribe(`tracing:sallyport.command:${event}`, () => counts[event]++)
  return args => {
    // All calls that have started have ended, except this one.
    if (counts.start !== counts.end + 1) throw new Error("Core's diagnostics channels did not report this call")
    return greet(args)
  }
}

const core: CoreDefinition = defineCore({
  commands,
  setup: created => {
    app = created
    for (const event of [handlers.FRONTEND_EVENT, handlers.FAN_SEEN])
      app.listen(event, ({ payload }) => backend.receive(event, payload))
  },
})

// A core module is its default export.
// oxlint-disable-next-line import/no-default-export
export default core
