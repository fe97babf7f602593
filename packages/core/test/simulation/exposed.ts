// Core's calls of exposed functions, and these functions.
import type { App } from '../../src/api/app.js'
import { getOutcome, type Verdict } from './model/ask.js'
import type { CallArguments } from './commands.js'
import type { Frontend } from './frontend.js'
import type { World } from './world.js'

const VERDICTS: readonly Verdict[] = ['pass', 'pass', 'pass', 'pass', 'null', 'later', 'laterNull', 'never', 'dies']

/** With the reason, if the frontend has ended by itself. */
const DISCONNECTED =
  /^(?:The frontend "[^"]*" (?:disconnected|is restarting, call it again later)|There is no frontend "[^"]*"(?: \(did .*)?)(?:: (.*))?$/

/** Calls a function. Never rejects. */
export async function callExposed(world: World, app: App, core: number, label: string): Promise<void> {
  const { model, simulation } = world
  const { random } = simulation
  const { corePlace } = world
  const command = random.pick(['echo', 'echo', 'slow', 'fails', 'missing'])
  const ask = model.ask({
    command,
    by: `core ${core}`,
    epoch: world.getEpoch(label),
    verdict: random.pick(VERDICTS),
    order: undefined,
    isOrphan: () => corePlace.dead,
  })
  const { token, verdict } = ask
  if (random.chance(0.2)) ask.timeout = random.chance(0.5) ? 1 + random.below(40) : 3_600_000
  const args = { token, verdict, hookMs: random.below(40), ms: random.few(300) }
  // A core that has never had a link to it cannot say why it has ended.
  const callee = world.frontends.find(frontend => frontend.label === label && frontend.epoch?.core === core)?.place
  try {
    const result = await app.call<CallArguments>(
      label,
      command,
      args,
      ask.timeout === undefined ? {} : { timeout: ask.timeout },
    )
    model.settled(ask, result.token === token ? 'ok' : `the result of call ${result.token}`)
  } catch (error) {
    model.settled(ask, getOutcome(error))
    const { message } = error as Error
    const [disconnected, why] = DISCONNECTED.exec(message) ?? []
    if (disconnected !== undefined && !corePlace.dead) world.toldWhy(label, why, callee)
  }
}

export function exposeFunctions(world: World, frontend: Frontend): void {
  const { model, simulation } = world
  const begin = ({ token }: CallArguments): void => {
    simulation.trace(() => `${frontend.place.name}: runs call ${token}`)
    model.ran(token, frontend.epoch!.core)
    frontend.epoch!.sent++
  }
  frontend.client.expose({
    echo(args: CallArguments) {
      begin(args)
      return args
    },
    async slow(args: CallArguments) {
      begin(args)
      await simulation.clock.sleep(args.ms)
      return args
    },
    fails(args: CallArguments) {
      begin(args)
      throw { token: args.token }
    },
  })
}
