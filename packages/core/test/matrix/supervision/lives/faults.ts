// What a sequence does to frontends, core, gates and their processes, and what the model hears of it.
import { getFrontendPids } from '../../../support/processes.js'
import type { Bus, Client, Sandbox } from '../../../../src/index.js'
import { Part, type Model, type Touch } from './model.js'
import { hasProcess, type Action, type End, type Kind, type Slot } from './plan.js'
import type { Place } from './sequence.js'
import { getThreads, type Role } from './threads.js'

const MEMORY = /memory/i
const HANGS = /blocked its event loop|did not respond|without a pause|time/i
const reasons: Readonly<Record<End, RegExp | undefined>> = {
  throw: undefined,
  reject: undefined,
  overflow: /stack/i,
  exit: /exited with code 3/,
  finish: /exited (with code 0|unexpectedly)/,
  abort: /SIGABRT|SIGILL|SIGTRAP|code 134/,
  memory: MEMORY,
  loop: HANGS,
}
/** On a busy machine. */
export const UNSENT = /before core had taken what it had sent/
/** A member of a shared thread or process says so. */
const SHARED = /exited with code 1|shared a (?:thread|process)|thread that .* shared/
/** A thread that has not begun has no code of its exit. */
const TERMINATED = /exited (with code 1|before it was ready)/
const KILLED = /SIGKILL/

type SharedRole = Extract<Role, 'gates' | 'relays' | 'scripts'>

const isMember = (role: SharedRole, kind: Kind): boolean =>
  role === 'gates' || (role === 'relays' ? hasProcess(kind) : kind === 'script')

export class Faults {
  /** The shared threads that are being ended. */
  readonly #ongoing = new Set<SharedRole>()
  readonly #bus: Bus
  readonly #model: Model
  readonly #places: readonly Place[]

  constructor(bus: Bus, model: Model, places: readonly Place[]) {
    this.#bus = bus
    this.#model = model
    this.#places = places
  }

  getSharedParts(sandbox: Sandbox): Part[] {
    const isProcess = typeof sandbox === 'object' && (sandbox.kind === 'process' || 'process' in sandbox)
    return [isProcess ? this.#model.shared.processes : this.#model.shared.threads]
  }

  /** What can happen to it at any time. */
  prepare(part: Part, { kind, isLimited, heartbeat }: Slot): void {
    if (isLimited) this.#model.touch(part, 'a small heap', MEMORY)
    if (heartbeat !== undefined) this.#model.touch(part, 'a short heartbeat', HANGS)
    // It can get a thread that is about to end.
    for (const role of this.#ongoing)
      if (isMember(role, kind)) this.#model.over(this.#model.touch(part, `end of ${role}`, SHARED))
  }

  async reload(place: Place): Promise<void> {
    const { parts, slot } = place
    const own = parts.map(part => this.#model.touch(part, 'reload', UNSENT))
    const reloading = this.#bus.reload(slot.label)
    await this.#model.follow(`reload ${slot.label}`, reloading, {
      parts,
      own,
      isOrder: true,
      harmed: ['Crashed', 'LoadFailed', 'Timeout'],
    })
    for (const touch of own) this.#model.over(touch)
  }

  async end(place: Place, how: End): Promise<void> {
    const { label } = place.slot
    const { parts } = place
    const number = this.#model.takeToken()
    const text = `broken on purpose ${number}`
    const touches = parts.map(part => this.#model.touch(part, how, reasons[how] ?? new RegExp(`on purpose ${number}$`)))
    const ended = this.#bus.call(label, 'end', { how, text })
    const isEndless = how === 'loop'
    await this.#model.follow(`${how} ${number} ${label}`, ended, { parts, never: true, isEndless })
    for (const touch of touches) this.#model.over(touch)
  }

  async kill(place: Place): Promise<void> {
    const { kind, label } = place.slot
    if (kind === 'script') return this.killShared('scripts')
    if (kind === 'walled' || kind === 'script process' || kind === 'scripts') return this.killProcess(0)
    if (kind === 'process') {
      const { parts } = place
      const pid = await this.#model.follow(`pid of ${label}`, this.#bus.call<number>(label, 'pid'), { parts })
      if (pid === undefined) return
      await this.#touchAll(place.parts, 'SIGKILL', KILLED, () => kill(pid))
      return
    }
    const worker = getThreads('frontend', label).at(-1)
    if (worker) await this.#touchAll(place.parts, 'terminate', TERMINATED, () => worker.terminate())
  }

  async endCore(how: Extract<Action, { do: 'end core' }>['how'], caller: Client): Promise<void> {
    const model = this.#model
    const number = model.takeToken()
    const text = `broken on purpose ${number}`
    const reason = {
      throw: new RegExp(`on purpose ${number}$`),
      exit: /exited with code 3/,
      terminate: TERMINATED,
      reload: undefined,
    }
    const touches = [
      model.touch(model.core, how, reason[how]),
      ...this.#all.map(part => model.touch(part, 'core ends', undefined, !this.#hasProcess(part))),
      ...Object.values(this.#model.shared).map(part => model.touch(part, 'core ends')),
    ]
    if (how === 'terminate') await getThreads('core').at(-1)?.terminate()
    else if (how === 'reload')
      await model.follow('reload core', this.#bus.reload('core'), {
        parts: [],
        own: touches,
        isOrder: true,
        harmed: ['Crashed', 'LoadFailed', 'Timeout'],
      })
    else await model.follow(`${how} ${number} core`, caller.invoke('end', { how, text }), { parts: [], never: true })
    for (const touch of touches) model.over(touch)
  }

  async killShared(role: SharedRole): Promise<void> {
    this.#ongoing.add(role)
    await this.#endShared(role)
    this.#ongoing.delete(role)
  }

  async #endShared(role: SharedRole): Promise<void> {
    const workers = getThreads(role)
    if (workers.length === 0) return
    const end = (): Promise<unknown> => Promise.all(workers.map(worker => worker.terminate()))
    const { threads, processes } = this.#model.shared
    const members = this.#all.filter(part => isMember(role, this.#getKind(part)))
    if (role === 'gates') {
      // A process gets its links with its start.
      const [others, restarted] = [false, true].map(has => members.filter(part => this.#hasProcess(part) === has))
      const touches = [
        ...this.#touch([...others!], role, SHARED, true),
        ...this.#touch([...restarted!, threads, processes], role, SHARED),
      ]
      await end()
      return this.#overAll(touches)
    }
    const runs = this.#touch([role === 'relays' ? processes : threads], role)
    await this.#touchAll(members, role, SHARED, end)
    this.#overAll(runs)
  }

  async killGate(place: Place): Promise<void> {
    const worker = getThreads('gate', place.slot.label).at(-1)
    if (!worker) return
    const keepsCode = !hasProcess(place.slot.kind)
    await this.#touchAll(place.parts, 'end of gate', TERMINATED, () => worker.terminate(), keepsCode)
  }

  /** Kills any of the processes in which there is code. From outside one does not see whose it is. */
  async killProcess(index: number): Promise<void> {
    const pids = getFrontendPids()
    if (pids.length === 0) return
    const runs = this.#touch([this.#model.shared.processes], 'SIGKILL of some process')
    const parts = this.#all.filter(part => this.#hasProcess(part))
    const pid = pids[index % pids.length]!
    await this.#touchAll(parts, 'SIGKILL of some process', /SIGKILL|thread that .* shared/, () => kill(pid))
    this.#overAll(runs)
  }

  /** It must answer now, or again. */
  mustServe({ touches }: Part, { restart, heartbeat }: Slot): boolean {
    const open = touches.filter(({ spentAt }) => spentAt === undefined)
    if (
      open.some(
        ({ what, settledAt }) =>
          ['close', 'reload', 'finish'].includes(what) ||
          (what === 'loop' && settledAt === undefined && heartbeat === undefined),
      )
    )
      return false
    return open.every(({ what }) => what === 'core ends') || restart !== 'temporary'
  }

  /** A fault that alone was done to a frontend is reported. */
  async checkReports(): Promise<void> {
    const isOwn = ({ what }: Touch): boolean => what in reasons && what !== 'finish' && what !== 'loop'
    for (const part of this.#all) {
      const [touch, ...others] = part.touches
      if (!touch || others.length > 0 || !part.isOpen || !isOwn(touch)) continue
      if (touch.reports !== 1) this.#model.fault(`${String(part)} has ${touch.reports} reports`)
    }
  }

  get #all(): Part[] {
    return this.#places.flatMap(({ parts }) => parts)
  }

  #getKind(part: Part): Kind {
    return this.#places.find(({ slot }) => slot.label === part.label)!.slot.kind
  }

  #hasProcess(part: Part): boolean {
    return hasProcess(this.#getKind(part))
  }

  #touch(parts: readonly Part[], what: string, reason?: RegExp, keepsCode = false): Touch[] {
    return parts.map(part => this.#model.touch(part, what, reason, keepsCode))
  }

  #overAll(touches: readonly Touch[]): void {
    for (const touch of touches) this.#model.over(touch)
  }

  async #touchAll(
    parts: readonly Part[],
    what: string,
    reason: RegExp,
    run: () => unknown,
    keepsCode = false,
  ): Promise<void> {
    const touches = this.#touch(parts, what, reason, keepsCode)
    await run()
    this.#overAll(touches)
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
