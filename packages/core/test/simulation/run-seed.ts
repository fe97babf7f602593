// Runs one seed: a bus works while faults are injected, settles without faults, must serve again, and is closed.
import { Client } from '../../../frontend/src/client/client.js'
import { call, emit } from './calls.js'
import { chooseBounds } from './bounds.js'
import { Frontend } from './frontend.js'
import { Random } from '../fuzz/random.js'
import { HeldWorld } from './holds/held-world.js'
import { Holds } from './holds/holds.js'
import { Outcomes } from './holds/outcomes.js'
import { Program } from './holds/program.js'
import { Simulation } from './simulation.js'
import { SupervisedWorld } from './supervised-world.js'
import { installDoorbells } from './virtual/doorbells.js'
import { World } from './world.js'

export interface SeedResult {
  readonly wrong: readonly string[]
  readonly lines: readonly string[]
  readonly steps: number
  readonly calls: number
  /** Number of calls by outcome. */
  readonly outcomes: Readonly<Record<string, number>>
}

/** Actors on their own, under the real host, or under the real host without harm but with holds. */
export type Mode = 'own' | 'host' | 'holds'

export interface SeedOptions {
  traced?: boolean
  mode?: Mode
  /** Limits the actions of the seed, to find the minimum that is needed. */
  actions?: number
}

/** A run with more steps is in an endless loop. */
const MOST_STEPS = 60_000
const MOST_HELD_STEPS = 200_000
/** Milliseconds after which a closed bus has no timers: a link waits 30 s for a peer that does not read, and notices that within a quarter more. */
const LAST_TIMER = 38_500

/** With holds, it runs first without them, and must have the same outcomes with them. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const { traced = false, mode = 'own' } = options
  if (mode !== 'holds') return runOnce(seed, options, new Simulation(seed, { traced }))
  const expected = new Outcomes()
  const unheld = await runOnce(seed, options, new Simulation(seed, { traced, outcomes: expected }), false)
  if (unheld.wrong.length > 0) return unheld
  return runOnce(seed, options, new Simulation(seed, { traced, outcomes: new Outcomes(expected) }))
}

async function runOnce(
  seed: number,
  { traced = false, actions = Infinity, mode = 'own' }: SeedOptions,
  simulation: Simulation,
  isHeld = true,
): Promise<SeedResult> {
  chooseBounds(simulation.random, mode === 'holds')
  const unhandled = (error: unknown): void =>
    simulation.fault(`uncaught: ${String((error as Error | undefined)?.stack ?? error)}`)
  process.on('unhandledRejection', unhandled)
  process.on('uncaughtException', unhandled)
  const { stackTraceLimit } = Error
  if (!traced) Error.stackTraceLimit = 0
  const uninstall = simulation.clock.install()
  const { SALLYPORT_LINK } = process.env
  process.env['SALLYPORT_LINK'] = simulation.random.pick(['port', 'ring'])
  const drawn = new Random(seed, 1)
  const world =
    mode === 'holds'
      ? new HeldWorld(simulation, drawn, isHeld)
      : mode === 'host'
        ? new SupervisedWorld(simulation)
        : new World(simulation)
  const uninstallDoorbells = installDoorbells(simulation, (memory, word) =>
    world instanceof SupervisedWorld ? world.rings.getSleeper(memory, word) : undefined,
  )
  const { getBuiltinModule } = process
  const getModule = (id: string): unknown =>
    id === 'node:net' && world instanceof SupervisedWorld ? world.net : getBuiltinModule(id)
  process.getBuiltinModule = getModule as typeof getBuiltinModule
  try {
    if (world instanceof HeldWorld)
      await work(world, new Program(world, seed, drawn, actions), isHeld ? seed : undefined)
    else await live(world, actions, mode === 'host')
  } finally {
    uninstall()
    uninstallDoorbells()
    process.env['SALLYPORT_LINK'] = SALLYPORT_LINK
    process.getBuiltinModule = getBuiltinModule
    Error.stackTraceLimit = stackTraceLimit
    process.off('unhandledRejection', unhandled)
    process.off('uncaughtException', unhandled)
  }
  const outcomes: Record<string, number> = {}
  let calls = 0
  for (const ask of world.model.asks) {
    calls++
    for (const outcome of ask.outcomes) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  return { wrong: simulation.wrong, lines: simulation.lines ?? [], steps: simulation.clock.steps, calls, outcomes }
}

/** @param seed - of the holds; `undefined` if nothing is held */
async function work(world: HeldWorld, program: Program, seed: number | undefined): Promise<void> {
  const { simulation, model } = world
  await world.startCore()
  const holds = seed === undefined ? undefined : new Holds(seed, simulation, world)
  await finish(world, program.work())
  if (holds) holds.areOn = false
  await rest(world)
  if (simulation.wrong.length > 0) return
  world.shout()
  await rest(world)
  checkTicks(world)
  if (holds) holds.areOn = true
  await finish(world, program.close())
  if (holds) holds.areOn = false
  await rest(world)
  for (const name of simulation.outcomes!.missing) simulation.fault(`${name} never ends`)
  model.checkAtRest(world.runningCore, true)
  for (const stream of world.streams.values()) stream.checkAtRest()
  world.checkEnds()
}

/** Lets time pass until the user has nothing to wait for, or waits for something that never comes. */
async function finish({ simulation }: HeldWorld, working: Promise<void>): Promise<void> {
  const { clock } = simulation
  let isOver = false
  const over = (): void => void (isOver = true)
  working.then(over, (error: unknown) => {
    over()
    simulation.fault(`the user fails: ${String(error)}`)
  })
  const most = clock.steps + MOST_HELD_STEPS
  while (!isOver && simulation.wrong.length === 0) {
    const end = await clock.run(clock.now + LONG, 1000)
    if (end === 'idle' && !isOver) return
    if (clock.steps > most) return simulation.fault('it goes in circles')
  }
}

/** Lets time pass until nothing is held any more, and everything has settled. */
async function rest(world: HeldWorld): Promise<void> {
  await run(world, Math.max(...world.places.map(({ stalledUntil }) => stalledUntil), world.simulation.clock.now) + LONG)
}

async function live(world: World, most: number, supervised: boolean): Promise<void> {
  const { simulation } = world
  const { random, clock } = simulation
  await world.startCore()
  const labels = ['main', 'other', 'third'].slice(0, 1 + random.below(3))
  for (const label of [...labels, ...(!supervised && random.chance(0.3) ? ['host'] : [])]) {
    const frontend = new Frontend(world, label, random.pick(['json', 'msgpack']))
    world.frontends.push(frontend)
    world.link(frontend)
  }
  // A worker that was never ready is not restarted.
  if (supervised) await clock.run(clock.now + 1000, MOST_STEPS)
  const actions = Math.min(most, 5 + random.few(60))
  const harm = random.pick([0, 0.05, 0.15])
  for (let i = 0; i < actions && simulation.wrong.length === 0; i++) {
    await clock.run(clock.now + (random.chance(0.4) ? 0 : random.next() * 12), MOST_STEPS)
    if (random.chance(harm)) doHarm(world)
    else act(world)
    clock.place = undefined
  }
  await endInOrder(world)
  await restUnharmed(world)
  if (simulation.wrong.length === 0 && !world.hasFailed) await serveAgain(world)
  if (simulation.wrong.length === 0 && world instanceof SupervisedWorld) await runCode(world)
  if (simulation.wrong.length === 0) await close(world)
}

function act(world: World): void {
  const { random } = world.simulation
  const frontend = random.pick(world.frontends)
  if (!frontend.isAlive || (!frontend.isLinked && random.chance(0.7))) return
  world.simulation.clock.place = frontend.thread
  const burst = random.chance(0.05) ? 1 + random.below(120) : 1 + random.few(8)
  const choice = random.next()
  for (let i = 0; i < burst; i++) {
    if (choice < 0.6) void call(world, frontend)
    else if (choice < 0.75) emit(world, frontend)
    else if (choice < 0.85 && !world.corePlace.dead) world.shout()
    else if (random.chance(0.5)) void call(world, frontend)
    else emit(world, frontend)
  }
  if (choice > 0.95) frontend.ticks.listenFor(random.below(60)).catch(() => {})
}

function doHarm(world: World): void {
  const { random } = world.simulation
  const frontend = random.pick(world.frontends)
  const choice = random.next()
  if (choice < 0.35) world.stall(random.pick(world.places))
  else if (choice < 0.5) world.crashCore()
  else if (choice < 0.65) world.crashGate(frontend.label)
  else if (choice < 0.75) world.crashFrontend(frontend)
  else if (choice < 0.85) world.leave(frontend)
  else world.cutLink(frontend)
}

/** Lets frontends end while nothing else happens to them. */
async function endInOrder(world: World): Promise<void> {
  const { random } = world.simulation
  for (let ends = random.below(4); ends > 0; ends--) {
    await run(world)
    world.leave(random.pick(world.frontends))
  }
}

async function restUnharmed(world: World): Promise<void> {
  const { simulation, model, streams } = world
  simulation.trace(() => 'no more harm is done')
  world.healed = true
  await run(world)
  model.checkAtRest(world.runningCore, false)
  world.checkEnds()
  for (const stream of streams.values()) stream.checkAtRest()
}

/** Checks that all restarted parts work. */
async function serveAgain(world: World): Promise<void> {
  const { frontends, model, simulation } = world
  for (const frontend of frontends) {
    if (!frontend.isAlive || !frontend.isLinked) {
      simulation.fault(`${frontend.place.name} has no link`)
      continue
    }
    for (const command of ['now', 'feed', 'values', 'bytes']) void call(world, frontend, command)
  }
  world.shout()
  await run(world)
  checkTicks(world)
  model.checkAtRest(world.runningCore, false)
  for (const stream of world.streams.values()) stream.checkAtRest()
}

function checkTicks({ frontends, coreNumber, shouted, simulation }: World): void {
  for (const { ticks, place } of frontends) {
    if (ticks.latest?.core !== coreNumber || ticks.latest.index !== shouted - 1)
      simulation.fault(`${place.name} received ${JSON.stringify(ticks.latest)} last, not ${shouted - 1}`)
  }
}

/** Runs code, in processes of which some end before it begins. */
async function runCode(world: SupervisedWorld): Promise<void> {
  const { simulation, model } = world
  const { random, clock } = simulation
  for (let runs = random.below(4); runs > 0; runs--) {
    world.run()
    if (random.chance(0.7)) clock.after(random.next() * 60, () => world.killSpares())
    await clock.run(clock.now + random.next() * 2000, MOST_STEPS)
    if (random.chance(0.5)) world.killSpares()
  }
  await run(world)
  model.checkAtRest(world.runningCore, false)
}

/** Checks that all open calls settle, and nothing remains. */
async function close(world: World): Promise<void> {
  const { simulation, frontends, leavers, zombies, model } = world
  const { clock } = simulation
  simulation.trace(() => 'all is closed')
  for (const { client } of zombies) if (client) Client.end(client, undefined)
  world.closeFrontends()
  await run(world, clock.now + 600)
  world.close()
  await run(world, clock.now + LAST_TIMER)
  // Timers of ended threads are gone.
  if (!(world instanceof SupervisedWorld) && clock.timers.length > 0)
    simulation.fault(`timers are left, of ${clock.timers.join(', ')} ms`)
  for (const { isClosed, place } of [...frontends, ...leavers])
    if (!isClosed && !place.dead) simulation.fault(`${place.name} never closed`)
  for (const place of world.places)
    if (place.ports.size > 0)
      simulation.fault(
        `${place.name} still has ports, to ${[...place.ports].map(({ peer }) => peer.place.name).join(', ')}`,
      )
  model.checkAtRest(world.runningCore, true)
  world.checkEnds()
}

/** Milliseconds until everything has settled: longer than any timer, except those of endless work. */
const LONG = 100_000

async function run(world: World, until: number = world.simulation.clock.now + LONG): Promise<void> {
  const { clock } = world.simulation
  if ((await clock.run(until, MOST_STEPS)) === 'steps') world.simulation.fault('it goes in circles')
}
