// Runs of code, as `bus.run` does them, in processes that start ahead and die before they begin.
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import type { Host } from '../../src/host/host.js'
import type { LocalCore } from '../../src/host/local-core.js'
import { execute } from '../../src/host/run.js'
import type { FrontendConfig } from '../../src/life/frontends/config.js'
import { type Ask, type Epoch, getOutcome, getText, type Step } from './model/ask.js'
import { createSize } from './bounds.js'
import type { Frontend } from './frontend.js'
import type { World } from './world.js'

/** A run is answered, unless something else than a spare has ended meanwhile, or shortly before: its end can be known late. */
const AFTERMATH = 10_000
/** Of a model that knows no links of runs. */
const EPOCH = { number: 0, core: 0, sent: 0, bytes: 0, running: 0, received: -1, left: false }

export type RunArguments = Pick<Ask, 'token' | 'verdict'> & {
  hookMs: number
  throws: boolean
  /** Number of events that it emits without an await before it ends. */
  events: number
  text: string
  /** Milliseconds for which it computes. */
  computes: number
}
/** Events of a run that can be slow even if nothing is held. */
const MOST_COMPARED = 6
/** Milliseconds for which a script may run without a pause. */
const MOST_COMPUTED = 1000
/** Code can throw what the bus throws for a call that was not delivered. */
const FORGED = 'forged'

/** Runs code. Never rejects. */
export async function run(
  world: World,
  host: Host<LocalCore>,
  config: Partial<FrontendConfig>,
  step: Step = world.simulation,
): Promise<void> {
  const { model, simulation, isolated } = world
  const { random } = step
  const isHarmed = (): boolean => world.closes || world.hasFailed || world.harmedAt > ask.startedAt - AFTERMATH
  const epoch: Epoch = {
    ...{ ...EPOCH, isolated },
    get ended() {
      return isHarmed()
    },
  }
  const ask = model.ask({
    ...{ command: 'bus.run', by: 'the host', verdict: 'pass', order: undefined },
    ...{ epoch, step },
    isOrphan: () => false,
  })
  const { token, verdict } = ask
  const args: RunArguments = {
    token,
    verdict,
    hookMs: 0,
    throws: random.chance(0.2),
    events: random.chance(0.5) ? random.few(step.name === undefined ? 50 : MOST_COMPARED) : 0,
    text: 'x'.repeat(createSize(random)),
    computes: step.name === undefined ? 0 : random.few(MOST_COMPUTED),
  }
  const resolved = {
    ...{ label: `run-${token}`, module: new URL('run:none'), args, timeout: undefined, functions: undefined },
    ...{ limits: {}, report: false },
    config: { ...config, codec: 'json', loaded: false, runsOnce: true } as FrontendConfig,
  }
  try {
    const result = (await execute(host, { where: 'bus.run', source: '', resolved, options: {} })) as RunArguments
    const { sent = 0, received = 0 } = world.runEvents.get(token) ?? {}
    if (received < sent && !isHarmed()) simulation.fault(`run ${token} ended after ${received} of its ${sent} events`)
    const isSame = result.token === token && result.text === args.text
    model.settled(ask, isSame ? 'ok' : `the result of run ${result.token}`)
  } catch (error) {
    if ((error as Error).message === FORGED) return model.settled(ask, 'ok', getText(error))
    if (!isHarmed()) simulation.fault(`run ${token} is not answered: ${(error as Error).message}`)
    model.settled(ask, isBusError(error, 'Disconnected') ? getOutcome(error) : 'Disconnected unknown', getText(error))
  }
}

/** Returns the code of a run. */
export const createRun =
  ({ model, runEvents, computes }: World, { client, compute }: Pick<Frontend, 'client' | 'compute'>) =>
  (args: RunArguments): unknown => {
    model.ran(args.token, EPOCH.core)
    const finish = (): object => {
      const events = { sent: args.events, received: 0 }
      runEvents.set(args.token, events)
      for (let event = 0; event < args.events; event++) client.emit('ran', args).catch(() => void (events.sent -= 1))
      if (args.throws) throw new BusError('Disconnected', FORGED, { data: { delivered: 'no', text: args.text } })
      return args
    }
    return computes && args.computes > 0 ? compute(args.computes).then(finish) : finish()
  }
