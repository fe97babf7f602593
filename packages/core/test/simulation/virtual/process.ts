// A process in virtual time, and its relay.
import type { LifecycleState } from '@sallyport/protocol/internal/contract'
import { createUnsentError, reportError } from '@sallyport/protocol/internal/errors'
import { judgeProcess } from '../../../../process/src/relay/judge-process.js'
import type { RelaySockets } from '../../../../process/src/contract.js'
import type { Simulation } from '../simulation.js'
import { Place } from './place.js'
import type { SimulatedPort } from './port.js'
import { SocketEnd } from './socket.js'
import { getWorld, type Program, SimulatedThread } from './threads.js'

/** Until then, the owners of its sockets have noticed that a process has exited, though others hold them. */
const HEIRS = 8000

/** The ports to the owners of its sockets are in the relay's place. */
export class SimulatedProcess extends SimulatedThread {
  readonly relay: Place
  sockets: RelaySockets | undefined
  readonly isAhead: boolean
  readonly scripts: SimulatedProcess[] = []
  wasStartedAhead = false
  /** Its code has begun. */
  hasBegun = false
  /** As the process has reported it. */
  lifecycle: LifecycleState | undefined
  isStopping = false
  /** Ends what its relay waits for. */
  stopListening = (): void => {}
  readonly #simulation: Simulation
  #wasKilled = false
  #isEnding = false

  /** @param label - `undefined` for one that is started ahead */
  constructor(
    simulation: Simulation,
    label: string | undefined,
    program: Program,
    data: object,
    ports: readonly SimulatedPort[],
  ) {
    const name = label ?? 'a spare process'
    super(name, program, data)
    this.isAhead = label === undefined
    this.#simulation = simulation
    this.relay = new Place(`the relay of ${name}`)
    for (const port of ports) {
      port.travel()
      port.arrive(this.relay)
    }
  }

  protected override get receiver(): Place {
    return this.relay
  }

  kill(): void {
    this.#wasKilled = true
    getWorld().harms(this.place)
    this.exit(0, 'SIGKILL')
  }

  /** The process exits. Its launcher can take longer, and another process can hold its sockets. */
  override exit(code: number, signal: NodeJS.Signals | null = null): void {
    if (this.#isEnding) return
    this.#isEnding = true
    const { clock, random } = this.#simulation
    const inherited = random.chance(0.2) ? [...this.place.ports].filter(end => end instanceof SocketEnd) : []
    for (const end of inherited) end.passOn()
    this.place.die()
    const late = random.chance(0.2) ? random.below(4000) : random.few(60)
    clock.at(clock.now + late, () => this.#exited(code, signal), undefined, this.relay)
    const check = (end: SocketEnd): void => {
      const { peer } = end
      const held = Math.max(peer.place.stalledUntil, this.relay.stalledUntil)
      // As the same sum: rounded otherwise, it would not be later.
      if (held + HEIRS > clock.now) clock.at(held + HEIRS, () => check(end))
      else if (!peer.isOver)
        this.#simulation.fault(`${peer.place.name} waits for who holds the sockets of ${this.place.name}`)
    }
    clock.after(HEIRS, () => inherited.forEach(check))
  }

  #exited(code: number, signal: NodeJS.Signals | null): void {
    if (this.relay.dead) return
    const { isStopping, lifecycle, isAhead: isSpare } = this
    const status = { code: signal ? null : code, signal, wasKilled: this.#wasKilled, limit: undefined }
    const { error: fault, wasStopped } = judgeProcess({ name: 'it', status, isStopping, lifecycle, isSpare })
    // As `RelayedCode.reportEnd`.
    const error = fault ?? (wasStopped && lifecycle === 'draining' ? createUnsentError('unknown') : undefined)
    if (error) this.send({ type: 'state', state: 'failed', error: reportError(error) })
    else if (wasStopped) this.send({ type: 'state', state: 'stopped', isUnanswered: lifecycle !== 'draining' })
    this.die(error ? 1 : code)
  }

  override fail(error: Error): void {
    this.report({ type: 'state', state: 'failed', error: reportError(error) })
    this.exit(1)
  }

  /** The relay ends, and its process after it. */
  die(code: number): void {
    const { clock, random } = this.#simulation
    this.relay.die()
    this.stopListening()
    clock.after(random.few(50), () => this.place.die())
    this.ended(code)
  }

  override async terminate(): Promise<void> {
    this.isOrdered = true
    getWorld().harms(this.place)
    this.place.die()
    this.die(1)
  }
}
