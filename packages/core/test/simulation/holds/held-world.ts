// The supervised bus without any harm: places are only held. All that its user orders has an outcome.
import { resolveSupervision } from '../../../src/life/policy.js'
import type { FlowOptions } from '../../../../frontend/src/client/client-queue.js'
import type { Random } from '../../fuzz/random.js'
import { BOUNDS } from '../bounds.js'
import { getText, type Step } from '../model/ask.js'
import { run } from '../runs.js'
import type { Simulation } from '../simulation.js'
import { SupervisedWorld } from '../supervised-world.js'
import type { Place } from '../virtual/place.js'

type Kinds = 'process' | 'script' | 'thread'

/** The frontends that a seed can have. */
export const LABELS: readonly string[] = ['main', 'other', 'third']
/** Milliseconds: no deadline of a user ever ends. */
const ENDLESS = 2 ** 31 - 1

export class HeldWorld extends SupervisedWorld {
  /** Of each label. */
  readonly #flows: FlowOptions[]
  readonly #kinds: Kinds[]
  /** Code that computes holds its neighbours. */
  override readonly computes: boolean

  constructor(simulation: Simulation, actions: Random, computes: boolean) {
    super(simulation)
    this.computes = computes
    this.#kinds = LABELS.map(() => actions.pick(['process', 'script', 'script', 'thread'] as const))
    const isLimited = (): boolean => actions.chance(0.3)
    this.#flows = LABELS.map(() =>
      isLimited() ? { maxInFlight: 1 + actions.few(BOUNDS.inFlight), overflow: 'wait' } : {},
    )
  }

  protected override get sharesTime(): boolean {
    return true
  }

  override createFlow(label: string): FlowOptions {
    return this.#flows[LABELS.indexOf(label)] ?? {}
  }

  override getKind(label: string): Kinds {
    return this.#kinds[LABELS.indexOf(label)]!
  }

  /** Nothing would end late. */
  protected override killed(kind: string, label: string): void {
    this.simulation.fault(`${kind} ${label} is killed, although it would have ended`)
  }

  /** Runs code in a place as soon as it takes something. */
  at<T>(place: Place, action: () => T | Promise<T>): Promise<T> {
    const { clock } = this.simulation
    return new Promise(resolve => {
      clock.at(clock.now, () => resolve(action()), undefined, place)
    })
  }

  /** What the host orders. Never rejects: its end is an outcome. */
  order(name: string, action: () => Promise<unknown>): Promise<void> {
    const { simulation, hostPlace } = this
    simulation.outcomes!.begins(name)
    return this.at(hostPlace, () => {
      simulation.trace(() => `the host: ${name}`)
      return action().then(
        () => simulation.settled(name, 'done'),
        (error: unknown) => simulation.settled(name, getText(error)),
      )
    })
  }

  /** Resolves once the module of a frontend is loaded. */
  async openLabel(label: string): Promise<void> {
    const load = await this.open(
      this.frontends.find(each => each.label === label)!,
      {
        ...{ loaded: true, loadTimeout: ENDLESS },
      },
    )
    await load()
  }

  closeLabel(label: string): Promise<void> {
    return this.host.frontends.close(label, 0)
  }

  reloadLabel(label: string): Promise<void> {
    return this.host.frontends.reload('reload', label)
  }

  runCode(step: Step, isScript: boolean): Promise<void> {
    const supervision = resolveSupervision('temporary', { heartbeat: false })
    return this.at(this.hostPlace, () => run(this, this.host, { supervision, ...this.getSandbox(isScript) }, step))
  }

  /** As `bus.close` does. */
  async closeBus(): Promise<void> {
    const { core, frontends, processes, sharedThreads, supervisor } = this.host
    this.closes = true
    supervisor.signal('drain')
    processes.pool?.drain()
    await core.worker.stop(ENDLESS)
    await frontends.closeAll()
    for (const { label } of this.frontends) this.hasExited(label)
    await sharedThreads.close()
  }
}
