// What the simulated core does: commands of every kind.
import { isBusError } from '@sallyport/protocol'
import type { App } from '../../src/api/app.js'
import type { SendingChannel } from '../../src/rpc/channel.js'
import type { CommandContext } from '../../src/api/context.js'
import type { CoreDefinition } from '../../src/api/define.js'
import type { World } from './world.js'

/** What every call carries, for its handler, its hook and the model. */
export interface Told {
  token: number
  verdict: string
  /** How long the hook takes, and the handler. */
  hookMs: number
  ms: number
  count: number
  /** Bytes of ballast. */
  text?: string
  data?: Uint8Array
  channel?: SendingChannel
  label: string
  name: string
}

export const COMMANDS = ['now', 'later', 'wait', 'fails', 'bytes', 'feed', 'flood', 'values', 'shout', 'relay', 'dies']

export function createDefinition(world: World, core: number): CoreDefinition {
  const { simulation, model } = world
  const { clock } = simulation
  const answer = ({ token, text }: Told): object => ({ token, core, text })
  /** Until all is sent, or nobody receives any more. */
  const send = async (args: Told, awaited: boolean): Promise<object> => {
    world.hold(args.channel)
    const stream = world.streams.get(args.token)!
    for (let index = 0; index < args.count; index++) {
      stream.sent++
      const sent = args.channel!.send({ token: args.token, index, text: args.text }).then(
        () => stream.room(),
        (error: unknown) => {
          if (isBusError(error, 'Overloaded')) stream.refused++
          index = args.count
        },
      )
      if (awaited) await sent
    }
    args.channel!.end()
    stream.complete = true
    return answer(args)
  }
  async function* values(args: Told): AsyncGenerator {
    const stream = world.streams.get(args.token)!
    for (let index = 0; index < args.count; index++) {
      stream.sent++
      yield { token: args.token, index, text: args.text }
      stream.room()
      if (args.ms > 10) await clock.sleep(args.ms - 10)
    }
    stream.complete = true
  }
  const commands = {
    now(args: Told) {
      return answer(args)
    },
    async later(args: Told) {
      await clock.sleep(args.ms)
      return answer(args)
    },
    wait(args: Told, { signal }: CommandContext) {
      return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        if (args.ms > 0) clock.after(args.ms, () => resolve(answer(args)))
      })
    },
    async fails(args: Told) {
      if (args.ms % 2 === 0) await clock.sleep(args.ms)
      throw { token: args.token }
    },
    bytes(args: Told) {
      return args.data
    },
    feed(args: Told) {
      return send(args, true)
    },
    flood(args: Told) {
      return send(args, false)
    },
    values(args: Told) {
      return values(args)
    },
    shout(args: Told, { app }: CommandContext) {
      for (let i = 0; i < args.count; i++) shout(app)
      return answer(args)
    },
    async relay(args: Told, { app }: CommandContext) {
      await world.callExposed(app, core, args.label)
      return answer(args)
    },
    dies(args: Told) {
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
    commands: Object.fromEntries(Object.entries(commands).map(([name, run]) => [name, told(world, core, run)])),
    setup(app) {
      world.shouted = 0
      world.shout = () => shout(app)
      app.listen('up', ({ payload }) => model.heard((payload as Told).token, core))
    },
  }
}

type Run = (args: Told, ctx: CommandContext) => unknown

/** The model is told of its beginning and its end. Of a stream's end it is not: nothing says when that is. */
const told =
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
