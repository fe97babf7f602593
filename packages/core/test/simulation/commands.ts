// Commands of the simulated core, of every kind.
import { isBusError } from '@sallyport/protocol/internal/errors'
import type { App, CommandContext } from '../../src/api/app.js'
import type { Channel } from '../../src/rpc/channels.js'
import type { CoreDefinition } from '../../src/api/define.js'
import type { Place } from './virtual/place.js'
import type { World } from './world.js'

/** Arguments of every call, for its handler, its hook and the model. */
export interface CallArguments {
  token: number
  verdict: string
  /** Durations of the hook and of the handler. */
  hookMs: number
  ms: number
  count: number
  /** Bytes of ballast. */
  text?: string
  data?: Uint8Array
  channel?: Channel
  body?: AsyncIterable<unknown>
  label: string
  name: string
}

export const COMMANDS = [
  ...['now', 'later', 'wait', 'fails', 'bytes', 'feed', 'flood', 'values', 'upload', 'shout', 'relay', 'dies'],
]

export function createDefinition(world: World, core: number, place: Place): CoreDefinition {
  const { simulation, model } = world
  const { clock } = simulation
  const sleep = (ms: number): Promise<void> => clock.sleep(ms, place)
  const answer = ({ token, text }: CallArguments): object => ({ token, core, text })
  /** Sends until everything is sent, or the receiver has left. */
  const send = async (args: CallArguments, awaited: boolean): Promise<object> => {
    world.hold(args.channel)
    const stream = world.streams.get(args.token)!
    for (let index = 0; index < args.count; index++) {
      stream.sent++
      const sent = args.channel!.send({ token: args.token, index, text: args.text }).then(
        () => stream.room(),
        (error: unknown) => {
          if (isBusError(error, 'Overloaded')) {
            stream.refused++
            stream.ask.floods = true
          }
          index = args.count
        },
      )
      if (awaited) await sent
    }
    args.channel!.end()
    stream.complete = true
    return answer(args)
  }
  async function* values(args: CallArguments): AsyncGenerator {
    const stream = world.streams.get(args.token)!
    for (let index = 0; index < args.count; index++) {
      stream.sent++
      yield { token: args.token, index, text: args.text }
      stream.room()
      if (args.ms > 10) await sleep(args.ms - 10)
    }
    stream.complete = true
  }
  const commands = {
    now(args: CallArguments) {
      return answer(args)
    },
    async later(args: CallArguments) {
      await sleep(args.ms)
      return answer(args)
    },
    wait(args: CallArguments, { signal }: CommandContext) {
      return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        if (args.ms > 0) clock.after(args.ms, () => resolve(answer(args)))
      })
    },
    async fails(args: CallArguments) {
      if (args.ms % 2 === 0) await sleep(args.ms)
      throw { token: args.token }
    },
    bytes(args: CallArguments) {
      return args.data
    },
    feed(args: CallArguments) {
      return send(args, true)
    },
    flood(args: CallArguments) {
      return send(args, false)
    },
    values(args: CallArguments) {
      return values(args)
    },
    async upload(args: CallArguments) {
      const stream = world.streams.get(args.token)!
      for await (const message of args.body!) {
        stream.take(message)
        if (args.ms > 20) await sleep(args.ms - 20)
      }
      stream.end()
      return answer(args)
    },
    shout(args: CallArguments, { app }: CommandContext) {
      for (let i = 0; i < args.count; i++) shout(app)
      return answer(args)
    },
    async relay(args: CallArguments, { app }: CommandContext) {
      const step = model.getStep(args.token)
      const own = step.name === undefined ? undefined : { random: step.random, name: `${step.name}, relayed` }
      await world.callExposed(app, core, args.label, own)
      return answer(args)
    },
    dies(args: CallArguments) {
      world.crashCore()
      return answer(args)
    },
    denied() {},
  }
  let shouted = 0
  const shout = (app: App): void => {
    app.emit('tick', { core, index: shouted++ })
    if (world.coreNumber === core) world.shouted = shouted
  }
  return {
    commands: Object.fromEntries(Object.entries(commands).map(([name, run]) => [name, reportRuns(world, core, run)])),
    setup(app) {
      world.shouted = 0
      world.shout = () => shout(app)
      world.callFrontend = (label, step) => world.callExposed(app, core, label, step)
      app.listen('ran', ({ payload }) => void (world.runEvents.get((payload as CallArguments).token)!.received += 1))
      app.listen('up', ({ payload }) => model.received((payload as CallArguments).token, core))
    },
  }
}

type Run = (args: CallArguments, ctx: CommandContext) => unknown

/** Reports begin and end of a handler to the model, except the end of a stream, which cannot be observed. */
const reportRuns =
  ({ simulation, model }: World, core: number, run: Run): Run =>
  (args, ctx) => {
    simulation.trace(() => `core ${core}: runs call ${args.token}`)
    model.ran(args.token, core)
    const over = (): void => model.over(args.token)
    const result = run(args, ctx)
    if (result instanceof Promise) result.then(over, over)
    else over()
    return result
  }
