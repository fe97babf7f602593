// Core's calls of exposed functions, and these functions.
import type { App } from '../../src/api/app.js'
import { getOutcome, getText, type Step, type Verdict } from './model/ask.js'
import { BOUNDS, createSize } from './bounds.js'
import { openSource } from './calls.js'
import type { CallArguments } from './commands.js'
import type { Frontend } from './frontend.js'
import { Stream } from './model/streams.js'
import type { World } from './world.js'

const VERDICTS: readonly Verdict[] = ['pass', 'pass', 'pass', 'pass', 'null', 'later', 'laterNull', 'never', 'dies']

/** With the reason, if the frontend has ended by itself. */
const DISCONNECTED =
  /^(?:The frontend "[^"]*" (?:disconnected|is restarting, call it again later)|There is no frontend "[^"]*"(?: \(did .*)?)(?:: (.*))?$/

/** Calls a function. Never rejects. */
export async function callExposed(
  world: World,
  app: App,
  core: number,
  label: string,
  step: Step = world.simulation,
): Promise<void> {
  const { model, simulation } = world
  const { random } = step
  const { corePlace } = world
  const command = random.pick(['echo', 'echo', 'slow', 'fails', 'missing', 'values'])
  const ask = model.ask({
    command,
    by: `core ${core}`,
    epoch: world.getEpoch(label),
    verdict: command === 'values' ? 'pass' : random.pick(VERDICTS.slice(0, step.name === undefined ? undefined : -1)),
    order: undefined,
    step,
    isOrphan: () => corePlace.dead,
  })
  const { token, verdict } = ask
  if (step.name === undefined && random.chance(0.2)) ask.timeout = random.chance(0.5) ? 1 + random.below(40) : 3_600_000
  const args = { token, verdict, hookMs: random.below(40), ms: random.few(300), count: 1 + random.few(40), text: '' }
  if (random.chance(0.3)) args.text = 'x'.repeat(createSize(random))
  // A core that has never had a link to it cannot say why it has ended.
  const callee = world.frontends.find(frontend => frontend.label === label && frontend.epoch?.core === core)
  // As long in the answer. The queues of the link are those of the calls of its frontend, too.
  for (const epoch of new Set([ask.epoch, callee?.epoch])) if (epoch) epoch.bytes += 2 * args.text.length
  const options = ask.timeout === undefined ? {} : { timeout: ask.timeout }
  try {
    if (command === 'values') {
      const stream = new Stream(simulation, ask, BOUNDS.channelWindow)
      world.streams.set(token, stream)
      for await (const message of app.stream(label, command, args, options)) stream.take(message)
      stream.end()
      return model.settled(ask, 'ok')
    }
    const result = await app.call<CallArguments>(label, command, args, options)
    model.settled(ask, result.token === token ? 'ok' : `the result of call ${result.token}`)
  } catch (error) {
    world.streams.get(token)?.end()
    model.settled(ask, getOutcome(error), getText(error))
    const { message } = error as Error
    const [disconnected, why] = DISCONNECTED.exec(message) ?? []
    if (disconnected !== undefined && !corePlace.dead) world.toldWhy(label, why, callee?.place)
  }
}

export function exposeFunctions(world: World, frontend: Frontend): void {
  const { model, simulation } = world
  const begin = ({ token }: CallArguments): void => {
    simulation.trace(() => `${frontend.place.name}: runs call ${token}`)
    model.ran(token, frontend.epoch!.core)
    frontend.epoch!.sent++
  }
  const answer = ({ token }: CallArguments): void => {
    if (!frontend.place.dead && !world.closes) model.answered(token, frontend.epoch!)
  }
  frontend.client.expose({
    echo(args: CallArguments) {
      begin(args)
      answer(args)
      return args
    },
    async slow(args: CallArguments) {
      begin(args)
      const { epoch } = frontend
      await simulation.clock.sleep(args.ms, frontend.place)
      if (epoch === frontend.epoch) answer(args)
      return args
    },
    values(args: CallArguments) {
      begin(args)
      frontend.epoch!.sent += args.count
      return openSource(world, world.streams.get(args.token)!, args, frontend.thread)
    },
    fails(args: CallArguments) {
      begin(args)
      answer(args)
      throw { token: args.token }
    },
  })
}
