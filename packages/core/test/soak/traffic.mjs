// The traffic of one frontend: concurrent calls of many kinds, chosen by a seed, and how each of them ended.
import { isBusError } from '@sallyport/frontend'
import { setTimeout as delay } from 'node:timers/promises'
import { kinds } from './kinds.mjs'
import { Random } from './random.mjs'

/** Nothing takes as long as this unless it hangs: endless loops are ended after less. */
const HANGS_MS = 30_000
/** Reasons that can end any call while others break something. */
const BROKEN = ['Disconnected', 'Overloaded']

/** The functions that every frontend exposes to the others. */
export const exposed = {
  echo: args => args,
  never: (_args, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
}

/** Makes calls for `ms`, `width` at a time; if `calm`, one of each kind, and nothing may break. */
export async function traffic(bus, { seed, ms, width, calm, labels }) {
  const random = new Random(seed)
  const outcomes = {}
  const wrong = []
  const one = async name => {
    const outcome = await settled(name, bus, random, { labels, calm })
    if (outcome.wrong) wrong.push(`${bus.label}: ${name}: ${outcome.wrong}`)
    const counts = (outcomes[name] ??= {})
    counts[outcome.as] = (counts[outcome.as] ?? 0) + 1
  }
  const names = Object.keys(kinds)
  if (calm) {
    for (const name of names) await one(name)
    return { outcomes, wrong }
  }
  const end = performance.now() + ms
  const worker = async () => {
    while (performance.now() < end) {
      await one(random.pick(names))
      await delay(random.below(20))
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return { outcomes, wrong }
}

async function settled(name, bus, random, { labels, calm }) {
  const { run, may, must } = kinds[name]
  let timer
  const hangs = new Promise(
    resolve => (timer = setTimeout(resolve, HANGS_MS, { as: 'hangs', wrong: 'does not settle' })),
  )
  const ends = (async () => run(bus, random, { labels }))().then(
    () => ({ as: 'ok', ...(must && { wrong: 'succeeded' }) }),
    error => {
      if (!isBusError(error)) return { as: 'wrong', wrong: String(error?.stack ?? error) }
      const { reason } = error
      const expected = may.includes(reason) || (!calm && broken(error))
      return { as: reason, ...(!expected && { wrong: `${reason}: ${error.message}` }) }
    },
  )
  const outcome = await Promise.race([ends, hangs])
  clearTimeout(timer)
  return outcome
}

/** By what others do. A frontend's answers are its own words: what it was asked may end as `CommandFailed`. */
const broken = ({ reason, message }) =>
  BROKEN.includes(reason) || (reason === 'MethodNotFound' && /expose/.test(message))
