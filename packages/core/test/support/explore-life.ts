// Every state that a life can reach, under every order of what its witnesses say, and what must always hold.
import { resolveSupervision } from '../../src/life/policy.js'
import type { Effects, LifeContext, LifeEvent, LifeInput, Obituary } from '../../src/life/judge.js'
import { type LifeValue, SteppedLife } from '../../src/life/table.js'

const OBITUARIES: Readonly<Record<string, Obituary>> = {
  threw: { ranCode: true, by: 'itself', code: 1, error: new Error('threw') },
  clean: { ranCode: true, by: 'itself', code: 0 },
  coded: { ranCode: true, by: 'itself', code: 3 },
  unborn: { ranCode: false, by: 'itself', code: 1 },
  orphaned: { ranCode: true, by: 'parent', code: 1, error: new Error('orphaned') },
  asked: { ranCode: true, by: 'order', code: 0 },
  killed: { ranCode: true, by: 'force', code: 1 },
}
const nobody: Obituary = { ranCode: true, by: 'nobody' }

export interface Variant extends Partial<Omit<LifeInput, 'supervision' | 'effects'>> {
  readonly unborn?: number
  readonly restart?: 'permanent' | 'transient' | 'temporary'
}

const show = ({ type, obituary, link, isBlocked }: LifeEvent): string => {
  const name = obituary && Object.keys(OBITUARIES).find(each => OBITUARIES[each] === obituary)
  return `${type}${name ? `:${name}` : ''}${link ? `#${link}` : ''}${isBlocked ? '*' : ''}`
}

/** A world that another one goes on from. */
interface Snapshot {
  readonly rest: Partial<World>
  readonly is: Partial<World['is']>
  readonly value: LifeValue
  readonly context: LifeContext
}

/** What the life is told of, and what its owner does for it. */
class World {
  readonly variant: Variant
  readonly life: SteppedLife
  wrong: string[] = []
  readonly is = {
    ...{ alive: false, ready: false, killed: false, asked: false, ordered: false },
    ...{ core: false, opened: false, started: false, held: false, linked: false },
  }
  gate: 'none' | 'down' | 'up' | 'ready' | 'ending'
  open = 0
  exits = 0
  ends = 0
  spawns = 0

  constructor(variant: Variant) {
    this.variant = variant
    this.gate = variant.isIsolated ? 'down' : 'none'
    const { restart = 'transient', ...more } = variant
    this.life = new SteppedLife({
      ...{ name: 'it', now: () => 0, random: () => 0, isDraining: () => false, effects: [this.#effects] },
      supervision: resolveSupervision(restart, { intensity: 1 }),
      ...more,
    })
  }

  /** Goes back to what it was, and on from there. */
  follow({ rest, is, value, context }: Snapshot, ...events: readonly LifeEvent[]): this {
    Object.assign(this, rest)
    this.wrong = []
    Object.assign(this.is, is)
    Object.assign(this.life.value, value)
    Object.assign(this.life.context, context)
    for (const event of events) this.apply(event)
    return this
  }

  get snapshot(): Snapshot {
    const { gate, open, exits, ends, spawns, life } = this
    const rest = { gate, open, exits, ends, spawns }
    return { rest, is: { ...this.is }, value: { ...life.value }, context: { ...life.context } }
  }

  expect(holds: boolean, text: string): void {
    if (!holds) this.wrong.push(text)
  }

  get #effects(): Partial<Effects> {
    const { is } = this
    return {
      spawn: () => {
        this.expect(!is.alive, 'a second code is spawned')
        this.expect(this.exits === 0, 'code is spawned after the end')
        Object.assign(is, { alive: true, ready: false, killed: false, ordered: false, linked: false })
        this.spawns++
      },
      askToStop: () => {
        this.expect(is.alive, 'the dead are asked to stop')
        is.ordered = true
      },
      kill: () => void (is.killed = true),
      exit: () => void this.exits++,
      over: () => {
        this.expect(this.exits === 1 && this.open === 0, 'a life is over before its code, or its link')
        this.ends++
      },
      opened: () => {
        this.expect(!is.opened, 'it opens twice')
        is.opened = true
      },
      offer: ({ link }) => {
        this.expect(this.open === 0, 'a link is offered before the last one is given up')
        const hasGate = this.gate !== 'down' && this.gate !== 'ending'
        this.expect(is.alive && is.core && hasGate, 'a link is offered to what is down, or ends')
        this.open = link
        is.held = false
      },
      handOver: () => {
        const isReady = this.gate === 'none' || this.gate === 'ready'
        const isStarted = is.started || this.life.context.isRunning === true
        this.expect(this.open > 0 && is.alive && isStarted && isReady && !is.held, 'a link is handed over')
        this.expect(!this.variant.keepsLink || !is.linked, 'a process gets another link')
        is.held = is.linked = true
      },
      detach: ({ link }, event) => {
        this.expect(this.open === link, 'a link is given up twice')
        const isWhole = is.alive && !is.killed && this.gate !== 'down' && event?.type !== 'LINK.DROPPED'
        this.expect(!isWhole, 'a link is given up without a reason')
        this.expect(is.core, 'core is down, and is told')
        this.open = 0
      },
      forget: ({ link }) => {
        this.expect(this.open === link && !is.core, 'a link is forgotten')
        this.open = 0
      },
      ask: () => {
        this.expect(is.alive, 'the dead are asked')
        is.asked = true
      },
      stopAsking: () => void (is.asked = false),
      replace: () => this.life.send({ type: 'RELOAD' }),
    }
  }

  apply(event: LifeEvent): void {
    const { is } = this
    if (event.type === 'OBITUARY') is.alive = false
    if (event.type === 'READY') is.ready = true
    if (event.type.startsWith('CORE')) is.core = event.type === 'CORE.UP'
    if (event.type.startsWith('GATE')) this.gate = event.type.slice(5).toLowerCase() as 'up'
    if (event.type === 'START') is.started = true
    const { context, value } = this.life
    const before = event.link === undefined || event.link === context.link ? undefined : JSON.stringify(value)
    const { exits } = this
    const atEnd = `${value.code} ${value.link}`
    this.life.send(event)
    this.expect(exits === 0 || atEnd === `${value.code} ${value.link}`, 'a life that is over changes')
    this.expect(!before || before === JSON.stringify(value), 'an earlier link changes something')
    this.expect(this.exits <= 1, 'it ends twice')
    this.expect(this.ends === this.exits, 'a life is not over with its code, or is over twice')
    this.expect(this.exits === 0 || this.open === 0, 'it ends with an open link')
    this.expect(this.exits === 0 || !is.alive || is.killed, 'it ends, and its code runs')
  }

  /** All that can come next. */
  get next(): LifeEvent[] {
    const { is, gate } = this
    const { value, context } = this.life
    const events: LifeEvent[] = [{ type: 'STOP' }, { type: 'RELOAD' }, { type: 'FAIL', error: new Error('core') }]
    if (is.alive) {
      if (!is.ready) events.push({ type: 'READY' })
      const { unborn, asked, killed, ...others } = OBITUARIES
      const possible = [...Object.values(others), ...(is.ordered ? [asked!] : []), ...(is.killed ? [killed!] : [])]
      if (!is.ready) possible.push(unborn!)
      events.push(...possible.map(obituary => ({ type: 'OBITUARY' as const, obituary })))
      events.push({ type: 'SENTENCE', error: new Error('sentence') })
      events.push({ type: 'SENTENCE', error: new Error('blocked'), isBlocked: true })
      if (is.asked) events.push({ type: 'LINK.ANSWERED', link: context.link, error: new Error('lost') })
    }
    events.push({ type: is.core ? 'CORE.DOWN' : 'CORE.UP' })
    if (gate === 'down') events.push({ type: 'GATE.UP' })
    if (gate === 'up') events.push({ type: 'GATE.READY' })
    if (gate === 'up' || gate === 'ready') events.push({ type: 'GATE.ENDING' })
    if (gate === 'up' || gate === 'ready' || gate === 'ending') events.push({ type: 'GATE.DOWN' })
    if (is.core && context.link > 0) {
      for (const link of context.link > 1 ? [context.link, context.link - 1] : [context.link])
        for (const type of ['LINK.ATTACHED', 'LINK.ENDED', 'LINK.DROPPED'] as const)
          events.push({ type, link }, { type: 'LINK.VIOLATED', link, error: new Error('violation') })
    }
    if (is.opened && !is.started) events.push({ type: 'START' })
    if (value.code === 'ending') events.push({ type: 'SILENT' })
    if (value.code === 'killing') events.push({ type: 'OBITUARY', obituary: nobody })
    if (value.code === 'backingOff') events.push({ type: 'ELAPSED' })
    if (value.code === 'absent') events.push({ type: 'JOIN' })
    return events
  }

  get key(): string {
    const { value, context: c } = this.life
    const flags = [!!c.sentence, c.unborn > 3, c.hasRun, c.everRan, c.hasBegun, !!c.error, c.link > 1, this.open > 0]
    let bits = 1
    for (const flag of [...flags, ...Object.values(this.is)]) bits = bits * 2 + Number(flag)
    return [...Object.values(value), c.goal, c.history.count, this.gate, this.exits, bits].join()
  }

  get outcome(): string {
    const { value, context } = this.life
    // Other code starts, at once or with its next gate.
    const [code, error] = value.code === 'renewed' ? ['starting'] : [value.code, context.error?.message]
    return JSON.stringify([code, error, context.history.count])
  }
}

interface Seen extends Snapshot {
  readonly before: Seen | undefined
  readonly event: LifeEvent | undefined
}

function getTrail(seen: Seen | undefined): LifeEvent[] {
  const trail: LifeEvent[] = []
  for (let at = seen; at?.event; at = at.before) trail.unshift(at.event)
  return trail
}

/** Returns what is wrong with a variant of the life, and how much was seen. */
export function exploreLife(variant: Variant): { states: number; pairs: number; wrong: string[] } {
  // Errors are made all the time, and nobody reads where.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return explore(variant)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function explore(variant: Variant): ReturnType<typeof exploreLife> {
  const wrong: string[] = []
  const world = new World(variant)
  let at: Seen = { ...world.snapshot, before: undefined, event: undefined }
  const found = (text: string, event?: LifeEvent): void =>
    void wrong.push(`${text}: ${[...getTrail(at), ...(event ? [event] : [])].map(show).join(' ')}`)
  const all = new Map<string, Seen>([[world.key, at]])
  let pairs = 0
  for (at of all.values()) {
    if (wrong.length > 0) break
    for (const event of world.follow(at).next) {
      const { key, wrong: texts } = world.follow(at, event)
      for (const text of texts) found(text, event)
      if (!all.has(key)) all.set(key, { ...world.snapshot, before: at, event })
    }
    checkEnd(world.follow(at), found)
    pairs += checkOrders(world, at, found)
  }
  return { states: all.size, pairs, wrong: wrong.slice(0, 5) }
}

type Found = (text: string) => void

/** As soon as the host stops a life and its code ends, it is over. */
function checkEnd(world: World, found: Found): void {
  if (world.exits === 0) world.apply({ type: 'STOP' })
  if (world.exits === 0 && world.is.alive) world.apply({ type: 'OBITUARY', obituary: OBITUARIES['clean']! })
  if (world.exits === 0) found('no end')
}

/** Two facts about one end have one outcome, whichever is known first. */
function checkOrders(world: World, at: Snapshot, found: Found): number {
  const { is, open, gate, life, spawns } = world.follow(at)
  if (!is.alive || !is.core || open === 0 || is.asked) return 0
  const names = ['threw', 'clean', 'coded', 'orphaned', ...(is.ready ? [] : ['unborn'])]
  const obituaries = names.map(name => OBITUARIES[name]!)
  const { link } = life.context
  const facts: LifeEvent[] = [
    { type: 'LINK.ENDED', link },
    { type: 'LINK.VIOLATED', link, error: new Error('violation') },
    { type: 'SENTENCE', error: new Error('blocked'), isBlocked: true },
    ...(gate === 'none' || gate === 'down' ? [] : [{ type: 'GATE.DOWN' as const }]),
  ]
  for (const obituary of obituaries)
    for (const fact of facts) {
      const end: LifeEvent = { type: 'OBITUARY', obituary }
      world.follow(at, end)
      // Nothing else of code arrives after its obituary.
      if (fact.type !== 'SENTENCE' || world.spawns === spawns) world.apply(fact)
      const one = world.outcome
      const other = world.follow(at, fact, end).outcome
      if (one !== other) found(`${show(fact)} and ${show(end)} do not commute, ${one} ${other}`)
    }
  return obituaries.length * facts.length
}
