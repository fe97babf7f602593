// Runs the plan of one seed over real threads and processes, and follows all that it does.
import { within } from '@sallyport/protocol/internal/contract'
import {
  createBus,
  type Bus,
  type Client,
  type FrontendOptions,
  type RunOptions,
  type Sandbox,
} from '../../../../src/index.js'
import { definitionIn, fixture } from '../../../support/start.js'
import { getModule, RUNS } from './code.js'
import { live } from './life.mjs'
import { Faults, UNSENT } from './faults.js'
import { Model, Part, type CallTerms } from './model.js'
import type { Action, Gap, Plan, Slot } from './plan.js'

const CORE = new URL('core.mjs', import.meta.url)
const HEAP_MB = 48
const SCRIPT_MB = 8
/** Short delays, and no end of restarts. Only what a plan hangs is found by its heartbeat. */
const SUPERVISION = { delay: { min: 1, max: 20 }, intensity: 1000, heartbeat: 60_000 }
/** On a busy machine. */
const LIMIT_MS = 40_000

/** A frontend of the plan, with all its openings: those that are not over can have the label. */
export class Place {
  readonly slot: Slot
  readonly openings: Part[] = []
  client: Client | undefined

  constructor(slot: Slot) {
    this.slot = slot
  }

  get parts(): Part[] {
    return this.openings.filter(({ isOver }) => !isOver)
  }
}

/** Resolves with the model, which says what is wrong. */
export async function runPlan(plan: Plan): Promise<Model> {
  const sequence = new Sequence(plan, await startBus(plan))
  await sequence.run()
  return sequence.model
}

async function startBus({ codec, gates, coreIsInThread }: Plan): Promise<Bus> {
  const isolation = { dir: fixture('isolation/hooks/judge/'), hookTimeout: 60_000, gates: gates as number }
  return createBus({
    core: coreIsInThread ? await definitionIn(CORE) : CORE,
    codec,
    log: false,
    supervision: SUPERVISION,
    calls: { timeout: false },
    ...(gates !== 'none' && { isolation }),
  })
}

class Sequence {
  readonly model: Model = new Model()
  readonly #plan: Plan
  readonly #bus: Bus
  readonly #places: Place[]
  readonly #caller: Place
  readonly #faults: Faults
  /** By the number of the action. */
  readonly #started: Promise<unknown>[] = []
  #lastOpening = 0
  #closing: Promise<unknown> | undefined

  constructor(plan: Plan, bus: Bus) {
    this.#plan = plan
    this.#bus = bus
    this.#places = plan.slots.map(slot => new Place(slot))
    // Nothing is done to it.
    this.#caller = new Place({
      ...plan.slots[0]!,
      label: 'caller',
      kind: 'connection',
      isLimited: false,
      heartbeat: undefined,
    })
    this.#faults = new Faults(bus, this.model, [...this.#places, this.#caller])
  }

  async run(): Promise<void> {
    const { model } = this
    const { actions, isHasty } = this.#plan
    const names = ['fault', 'restart', 'failed', 'exited'] as const
    for (const name of names) this.#bus.on(name, event => model.report(name, event))
    await this.#bus.listen<{ token: number }>('ran', ({ payload }) => model.ran(payload.token))
    await this.#open(this.#caller)
    const opened = Promise.all(this.#places.map(place => this.#open(place)))
    if (!isHasty) await within(LIMIT_MS, opened)
    for (const action of actions) {
      await within(LIMIT_MS, this.#wait(action.gap))
      this.#started.push(this.#start(action))
    }
    if (!this.#closing) await this.#checkRest()
    // What does not settle is named below.
    await within(LIMIT_MS, this.#close(this.#plan.closeTimeout))
    await until(
      () => model.getPending(true),
      pending => pending.length === 0,
      LIMIT_MS,
    )
    for (const what of model.getPending(true)) model.fault(`${what} never settles`)
    await this.#follow('a call after the close', this.#bus.call('caller', 'echo', {}), { parts: [], never: true })
  }

  async #wait(gap: Gap): Promise<void> {
    if ('turns' in gap) for (let turn = 0; turn < gap.turns; turn++) await new Promise(setImmediate)
    else if ('trips' in gap) for (let trip = 0; trip < gap.trips; trip++) await this.#callCore(this.#caller, 'echo', 0)
    else if (this.#ends(this.#plan.actions[gap.after]!)) await this.#started[gap.after]
  }

  /** It settles without another action. */
  #ends(action: Action): boolean {
    if (action.do === 'end') return action.how !== 'loop'
    return action.do !== 'call' || action.way !== 'hold' || action.timeout !== undefined
  }

  #start(action: Action): Promise<unknown> {
    const place = 'slot' in action ? this.#places[action.slot]! : this.#caller
    switch (action.do) {
      case 'call':
        return this.#call(action, place)
      case 'open':
        if (place.parts.length > 0) void this.#closeFrontend(place, 0)
        return this.#open(place)
      case 'close':
        return this.#closeFrontend(place, action.timeout)
      case 'reload':
        return this.#faults.reload(place)
      case 'end':
        return this.#faults.end(place, action.how)
      case 'fill':
        return this.#fill(place, action)
      case 'run':
        return this.#run(action)
      case 'kill':
        return this.#faults.kill(place)
      case 'end core':
        return this.#faults.endCore(action.how, this.#caller.client!)
      case 'kill shared':
        return this.#faults.killShared(action.role)
      case 'kill process':
        return this.#faults.killProcess(action.index)
      case 'kill gate':
        return this.#faults.killGate(place)
      case 'stats':
        return this.#follow('stats', this.#bus.stats(), { parts: [] })
      case 'close bus':
        return this.#close(action.timeout)
    }
  }

  #follow<T>(what: string, promise: Promise<T>, terms: CallTerms): Promise<T | undefined> {
    return this.model.follow(what, promise, terms)
  }

  async #open(place: Place): Promise<void> {
    const { slot, openings } = place
    const { label, kind } = slot
    const number = ++this.#lastOpening
    const earlier = place.parts
    const part = new Part(`${label} (${kind}) no. ${number}`, label)
    this.#faults.prepare(part, slot)
    openings.push(part)
    this.model.add(part)
    // That it is not open yet is no reason to fail.
    const opening = Object.assign(new Part(`${part.name}, opening`, 'opening'), { touches: part.touches, isOpen: true })
    const connect = async (): Promise<true> => {
      place.client = await this.#bus.connect(label, { allow: '*' })
      live(place.client, number)
      return true
    }
    const open = async (): Promise<true> => {
      await this.#bus.open(label, getModule(kind), { ...getOptions(slot), data: { opening: number } })
      return true
    }
    const isOpen = await this.#follow(`open ${part.name}`, kind === 'connection' ? connect() : open(), {
      parts: [opening, ...earlier],
      harmed: ['Crashed', 'InvalidParams', 'Timeout'],
      isOrder: true,
      own: part.touches.slice(),
    })
    part.isOpen = isOpen === true
    if (isOpen) for (const before of earlier) before.isOver = true
    else part.isOver = true
  }

  async #closeFrontend(place: Place, timeout: number): Promise<void> {
    const { parts } = place
    const { label } = place.slot
    for (const part of parts) this.model.touch(part, 'close', UNSENT)
    await this.#follow(`close ${label}`, this.#bus.closeFrontend(label, { timeout }), { parts: [], isOrder: true })
    for (const part of parts) part.isOver = true
  }

  async #call(action: Extract<Action, { do: 'call' }>, place: Place): Promise<void> {
    const { way, size, count, timeout } = action
    const { label } = place.slot
    const token = this.model.takeToken()
    const inner = this.model.takeToken()
    const { parts } = place
    const bus = this.#bus
    const what = `call ${token}/${inner} (${way} ${label})`
    const nested: CallTerms = { parts, tokens: [token], harmed: ['CommandFailed'] }
    const checkInner = (value: Answer, startedAt: number): string | undefined =>
      this.#check(value, token, 0, label, startedAt) ??
      (value.inner!.token === inner ? undefined : 'a wrong inner result')
    switch (way) {
      case 'host':
        await this.#echo(place, size)
        return
      case 'hold': {
        const terms = { parts, tokens: [token], never: true, isEndless: timeout === undefined }
        const options = timeout === undefined ? {} : { timeout }
        const may = timeout === undefined ? [] : ['Timeout']
        await this.#follow(what, bus.call(label, 'hold', { token }, options), { ...terms, may })
        return
      }
      case 'core':
      case 'later':
        return this.#callCore(place.client ? place : this.#caller, way === 'core' ? 'echo' : 'later', size)
      case 'relay':
        await this.#follow(what, bus.call(label, 'relay', { token, inner, command: 'later', size }), {
          ...nested,
          check: (value: Answer, startedAt) =>
            checkInner(value, startedAt) ?? (value.inner!.text!.length === size ? undefined : 'a wrong size'),
        })
        return
      case 'ask': {
        const to = this.#places[action.to]!
        // Without one of them, it cannot succeed.
        const both = parts.length > 0 && to.parts.length > 0 ? [...parts, ...to.parts] : []
        const terms = { ...nested, parts: both, check: checkInner }
        const { label: asked } = to.slot
        await this.#follow(`${what} → ${asked}`, bus.call(label, 'ask', { token, inner, label: asked, size }), terms)
        return
      }
      case 'stream': {
        const read = async (): Promise<number> => {
          let next = 0
          for await (const { n, text } of bus.stream<{ n: number; text: string }>(label, 'stream', {
            token,
            count,
            size,
          }))
            if (n !== next++ || text.length !== size) this.model.fault(`${what}: value ${n} is wrong`)
          return next
        }
        await this.#follow(what, read(), {
          parts,
          tokens: [token],
          check: (n: number) => (n === count ? undefined : `${n} values`),
        })
        return
      }
      case 'read':
        await this.#follow(what, bus.call(label, 'read', { token, inner, count, size }), {
          ...nested,
          check: checkInner,
        })
    }
  }

  /** Resolves with true if the frontend has answered. */
  async #echo(place: Place, size: number): Promise<boolean> {
    const { parts } = place
    const { label } = place.slot
    const token = this.model.takeToken()
    const promise = this.#bus.call<Answer>(label, 'echo', { token, size })
    const check = (value: Answer, startedAt: number): string | undefined =>
      this.#check(value, token, size, label, startedAt)
    return (await this.#follow(`call ${token} (${label})`, promise, { parts, tokens: [token], check })) !== undefined
  }

  #check(value: Answer, token: number, size: number, label: string, startedAt: number): string | undefined {
    if (value.token !== token || value.text?.length !== size) return `the result of call ${value.token}`
    // Those that were opened meanwhile count too.
    const part = this.model.frontends.find(({ name }) => name.endsWith(` no. ${value.opening}`))
    if (part?.label !== label) return `the result of opening ${value.opening}`
    return this.model.answered(part, value.birth, startedAt)
  }

  async #callCore(place: Place, command: 'echo' | 'later', size: number): Promise<void> {
    const token = this.model.takeToken()
    const promise = place.client!.invoke<Answer>(command, { token, size })
    await this.#follow(`call ${token} (core, by ${place.slot.label})`, promise, {
      parts: place.parts,
      tokens: [token],
      check: (value: Answer) =>
        value.token === token && value.text!.length === size ? undefined : `the result of ${value.token}`,
    })
  }

  async #fill(place: Place, { count, size, ms }: Extract<Action, { do: 'fill' }>): Promise<void> {
    const { label } = place.slot
    const token = this.model.takeToken()
    const { parts } = place
    const poured = this.#caller.client!.invoke('pour', { label, count, size })
    const filled = this.#bus.call<Answer>(label, 'fill', { token, count, size, ms })
    await Promise.all([
      this.#follow(`pour to ${label}`, poured, { parts: this.#caller.parts }),
      this.#follow(`fill ${token} ${label}`, filled, { parts, tokens: [token] }),
    ])
  }

  async #run({ sandbox, end, size, timeout }: Extract<Action, { do: 'run' }>): Promise<void> {
    const token = this.model.takeToken()
    const options: RunOptions & { report: false } = {
      args: { token, size },
      sandbox,
      allow: '*',
      timeout: timeout ?? false,
      report: false,
    }
    const may = { returns: [], calls: [], throws: ['CommandFailed'], loops: ['Timeout', 'Crashed'], exits: ['Crashed'] }
    await this.#follow(`run ${token}, which ${end}`, this.#bus.run<Answer>(RUNS[end], options), {
      parts: this.#faults.getSharedParts(sandbox),
      tokens: [token],
      harmed: ['Crashed'],
      may: may[end],
      never: !['returns', 'calls'].includes(end),
      check: (value: Answer) =>
        value.token === token && value.text!.length === size ? undefined : `the result of ${value.token}`,
    })
  }

  /** All that can end has ended, and those to whom nothing was done answer, and those that were restarted. */
  async #checkRest(): Promise<void> {
    const { model } = this
    await until(
      () => model.getPending(false),
      pending => pending.length === 0,
      LIMIT_MS,
    )
    const pending = model.getPending(false)
    for (const what of pending) model.fault(`${what} does not settle`)
    if (pending.length > 0) return
    await Promise.all([this.#caller, ...this.#places].map(place => this.#checkServes(place)))
    await this.#faults.checkReports()
  }

  async #checkServes(place: Place): Promise<void> {
    const { parts, slot } = place
    const [part] = parts
    if (parts.length !== 1 || !part!.isOpen || !this.#faults.mustServe(part!, slot)) return
    const until = performance.now() + LIMIT_MS
    while (!(await this.#echo(place, 10))) {
      if (part!.isWhole) return
      if (performance.now() > until) return this.model.fault(`${String(part)} does not serve again`)
      await pause()
    }
  }

  #close(timeout: number): Promise<unknown> {
    const { bus } = this.model
    if (bus.touches.length === 0) this.model.touch(bus, 'close')
    for (const part of [this.model.core, ...this.model.frontends]) this.model.touch(part, 'close of the bus', UNSENT)
    const closing = this.#bus.close({ timeout })
    this.#closing ??= closing
    return this.#follow('close of the bus', closing, { parts: [] })
  }
}

export interface Answer {
  readonly token: number
  readonly opening: number
  readonly birth: number
  readonly text?: string
  readonly inner?: Answer
}

function getOptions({ kind, isLimited, heartbeat, restart, hasSpare }: Slot): FrontendOptions {
  const supervision = { restart, ...(heartbeat !== undefined && { heartbeat }) }
  const limits = isLimited ? { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } } : {}
  const script = { kind: 'quickjs' as const, ...(isLimited && { memory: SCRIPT_MB }) }
  const spares = hasSpare ? { spares: 1 } : {}
  const sandboxes: Record<Slot['kind'], Sandbox> = {
    none: 'none',
    permission: { kind: 'permission', ...limits },
    process: { kind: 'process', wall: 'none', ...limits, ...spares },
    walled: { kind: 'process', ...limits, ...spares },
    script,
    'script process': { ...script, process: true, wall: 'none', ...spares },
    scripts: { ...script, process: true, wall: 'none', perProcess: 10 },
    connection: 'none',
  }
  return { sandbox: sandboxes[kind], supervision, allow: '*', loadTimeout: 60_000, onStdio: () => {} }
}

const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5))

/** Polls until the value passes, or the time is over. */
export async function until<T>(read: () => T, passes: (value: T) => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms
  while (!passes(read()) && performance.now() < end) await pause()
}
