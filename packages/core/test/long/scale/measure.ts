// Measures one number of frontends: the memory of each part, and the work of the bus for a message, an event, and a frontend that
// connects or disconnects.
import type { Link } from '@sallyport/protocol/internal/wire'
import { Random } from '../../fuzz/random.js'
import { comeAndGo } from './come-and-go.js'
import { Crowd } from './crowd.js'
import { memory } from './memory.js'
import { countWork } from './work.js'

/** Bytes for one of each. */
export interface BytesEach {
  /** A session in core, with both ends of its link. */
  session: number
  /** Resident memory of a session, which exceeds the heap because pages are partly unused. */
  sessionResident: number
  /** A client on the other end of the link. */
  client: number
  /** A listener in core and client. */
  listener: number
  /** The rest of all of them after they have disconnected. */
  left: number
}

/** Work for one of each, as `countWork` counts it. */
export interface WorkEach {
  call: number
  /** An event with one listener, and one with a hundred. */
  eventToOne: number
  eventToHundred: number
  /** An event to one label that every frontend listens to. */
  emitTo: number
  /** An event to all frontends, per frontend. */
  eventToAll: number
  connect: number
  leave: number
}

export interface Measured {
  frontends: number
  bytes: BytesEach
  work: WorkEach
  /** Microseconds, for information only: times differ between machines, so no limit applies. */
  times: Record<'attach' | 'listen' | 'call' | 'eventToAll' | 'leave', number>
  wrong: readonly string[]
}

/** Repetitions of each measurement. */
const SOME = 100

export async function measure(frontends: number, seed: number): Promise<Measured> {
  const crowd = await Crowd.create()
  const random = new Random(seed)
  const labels = shuffled(random, frontends)
  const times: Partial<Measured['times']> = {}
  const timed = async (what: keyof Measured['times'], run: () => Promise<unknown>): Promise<void> => {
    const start = performance.now()
    await run()
    await crowd.quiet()
    times[what] = ((performance.now() - start) * 1000) / frontends
  }
  const everybody = (run: (label: string) => unknown) => async (): Promise<unknown> => Promise.all(labels.map(run))

  const empty = await memory()
  const links: Link[] = []
  await timed('attach', async () => links.push(...labels.map(label => crowd.attach(label))))
  const attached = await memory()
  labels.forEach((label, i) => crowd.connect(label, links[i]))
  links.length = 0
  await crowd.quiet()
  const connected = await memory()
  await timed(
    'listen',
    everybody(label => crowd.listen(label, 'all')),
  )
  const listening = await memory()
  await timed(
    'call',
    everybody(label => crowd.call(label)),
  )
  await timed('eventToAll', async () => crowd.app.emit('all', 1))

  const work = await countEach(crowd, labels)
  const wrong = await comeAndGo(crowd, random)
  labels.splice(0, Infinity, ...crowd.clients.keys())
  await timed(
    'leave',
    everybody(label => crowd.leave(label)),
  )
  const after = await memory()
  await crowd.close()
  const each = (of: 'held' | 'resident', from: typeof empty, to: typeof empty): number =>
    (to[of] - from[of]) / frontends
  const bytes: BytesEach = {
    session: each('held', empty, attached),
    sessionResident: each('resident', empty, attached),
    client: each('held', attached, connected),
    listener: each('held', connected, listening),
    left: each('held', empty, after),
  }
  return { frontends, bytes, work, times: times as Measured['times'], wrong }
}

async function countEach(crowd: Crowd, labels: readonly string[]): Promise<WorkEach> {
  const some = labels.slice(0, SOME)
  const [firstLabel] = some as [string]
  await crowd.listen(firstLabel, 'one')
  for (const label of some) await crowd.listen(label, 'hundred')
  const count = async (run: () => unknown): Promise<number> =>
    countWork(async () => {
      await run()
      await crowd.quiet()
    })
  const emit = (event: string): Promise<number> => count(() => crowd.app.emit(event, 1))
  const call = await count(async () => {
    for (const label of some) await crowd.call(label)
  })
  const visitors = some.map((_label, i) => `visitor-${i}`)
  const connect = await count(() => visitors.forEach(label => crowd.connect(label)))
  const leave = await count(() => Promise.all(visitors.map(label => crowd.leave(label))))
  return {
    call: call / SOME,
    eventToOne: await emit('one'),
    eventToHundred: await emit('hundred'),
    emitTo: await count(() => crowd.app.emitTo(firstLabel, 'all', 1)),
    eventToAll: (await emit('all')) / labels.length,
    connect: connect / SOME,
    leave: leave / SOME,
  }
}

function shuffled(random: Random, count: number): string[] {
  const labels = Array.from({ length: count }, (_, i) => `frontend-${i}`)
  for (let i = count - 1; i > 0; i--) {
    const other = random.below(i + 1)
    ;[labels[i], labels[other]] = [labels[other]!, labels[i]!]
  }
  return labels
}
