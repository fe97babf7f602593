// Whether what was measured grows. What has ended is let go of a little later, and how much that is differs from round to round:
// so it is the least of the first half of the rounds that is compared with the least of the last.

/** Rounds of each life of an actor that do not count: code is compiled, tables grow, threads of the pool start. */
export const WARM_UP = 2
/** Fewer rounds of one life after the warm-up are not judged. */
const ENOUGH = 4
/** Growth per round is judged from this many rounds on: with fewer, one frontend more or less at the time of a measurement decides. */
const ENOUGH_FOR_RATE = 16
const KiB = 2 ** 10
const MiB = 2 ** 20

/**
 * What it may grow by, from half to half, in all, and for each round between them. What comes and goes without being a leak: of
 * core the two threads of a pool (each 3 ports, 40 functions, 4 descriptors), code that is compiled, and of the RSS what the
 * allocator keeps of threads that have ended. A session that stays with each round is 3 ports and 40 functions.
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
}

/** Of the footprints of all rounds: `{ of, kind, from, to, rounds, perRound, broken }` for each. */
export function growthOf(footprints) {
  return [...byActor(footprints)].flatMap(([key, lives]) => {
    const [of, kind] = JSON.parse(key)
    const all = [...lives.values()].map(points => points.slice(WARM_UP)).filter(points => points.length >= ENOUGH)
    return all.map(points => growth(of, kind, points))
  })
}

function growth(of, kind, points) {
  const half = points.length >> 1
  const least = some => Math.min(...some.map(([, value]) => value))
  const [from, to] = [least(points.slice(0, half)), least(points.slice(-half))]
  const perRound = (to - from) / (points.length - half)
  const { total, round } = BOUNDS[kind]
  const broken = to - from > total || (perRound > round && points.length >= ENOUGH_FOR_RATE)
  return { of, kind, from, to, rounds: points.length, perRound, broken }
}

/** Another life of the same actor has another memory. */
function byActor(footprints) {
  const actors = new Map()
  footprints.forEach((all, round) => {
    for (const [of, { life, ...values }] of Object.entries(all)) {
      for (const [kind, value] of Object.entries(values)) {
        const key = JSON.stringify([of, kind])
        const lives = actors.get(key) ?? new Map()
        actors.set(key, lives.set(life, [...(lives.get(life) ?? []), [round, value]]))
      }
    }
  })
  return actors
}
