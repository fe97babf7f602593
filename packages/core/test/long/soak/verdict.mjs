// Finds growth in footprints. Resources are released a little after they end, and their number differs between rounds.
// Therefore the minimum of the first half of the rounds is compared with that of the second half.

/** Rounds after the start of an actor that do not count: code is compiled, tables grow, threads of the pool start. */
export const WARM_UP = 2
/** The least number of rounds after the warm-up, until the actor restarts. */
const ENOUGH = 4
/** The least number of rounds for growth per round. With fewer, a single frontend at the time of a measurement changes the result. */
const ENOUGH_FOR_RATE = 16
const KiB = 2 ** 10
const MiB = 2 ** 20

/**
 * The most growth between the halves, in total and per round. The totals allow for resources that are not leaks: two threads of
 * core's pool (each 3 ports, 40 functions, 4 descriptors), compiled code, and memory of ended threads that the allocator keeps.
 * A leak of one session per round is 3 ports and 40 functions.
 */
export const BOUNDS = {
  heap: { total: MiB, round: 128 * KiB },
  external: { total: MiB, round: 128 * KiB },
  rss: { total: 96 * MiB, round: 24 * MiB },
  ports: { total: 8, round: 2 },
  signals: { total: 4, round: 0.9 },
  shared: { total: 6, round: 1.5 },
  functions: { total: 150, round: 25 },
  handles: { total: 4, round: 1 },
  listeners: { total: 4, round: 1 },
  threads: { total: 6, round: 1.5 },
  descriptors: { total: 24, round: 6 },
  children: { total: 0, round: 0 },
  // Nothing else comes and goes with processes.
  sockets: { total: 2, round: 0.5 },
  directories: { total: 0, round: 0 },
  cgroups: { total: 0, round: 0 },
}

/** Returns `{ actor, kind, from, to, rounds, perRound, broken }` for each actor and kind of resource. */
export function getGrowths(footprints) {
  return [...byActor(footprints)].flatMap(([key, generations]) => {
    const [actor, kind] = JSON.parse(key)
    const all = [...generations.values()].map(points => points.slice(WARM_UP)).filter(points => points.length >= ENOUGH)
    return all.map(points => getGrowth(actor, kind, points))
  })
}

/** Returns the later growths. A bound is broken only if it was broken before as well. */
export const getConfirmed = (before, later) =>
  later.map(growth => {
    const isSame = ({ actor, kind, broken }) => broken && actor === growth.actor && kind === growth.kind
    return { ...growth, broken: growth.broken && before.some(isSame) }
  })

function getGrowth(actor, kind, points) {
  const half = points.length >> 1
  const least = some => Math.min(...some.map(([, value]) => value))
  const [from, to] = [least(points.slice(0, half)), least(points.slice(-half))]
  const perRound = (to - from) / (points.length - half)
  const { total, round } = BOUNDS[kind]
  const broken = to - from > total || (perRound > round && points.length >= ENOUGH_FOR_RATE)
  return { actor, kind, from, to, rounds: points.length, perRound, broken }
}

/** Groups values by actor and kind. A restarted actor is a generation of its own, because it has other memory. */
function byActor(footprints) {
  const actors = new Map()
  footprints.forEach((all, round) => {
    for (const [actor, { generation, ...values }] of Object.entries(all)) {
      for (const [kind, value] of Object.entries(values)) {
        const key = JSON.stringify([actor, kind])
        const generations = actors.get(key) ?? new Map()
        actors.set(key, generations.set(generation, [...(generations.get(generation) ?? []), [round, value]]))
      }
    }
  })
  return actors
}
