// The traffic of one frontend: concurrent calls of many kinds, chosen by a seed, and how each of them ended.
import { isBusError } from '@sallyport/frontend'
import { setTimeout as delay } from 'node:timers/promises'
import { kinds } from './kinds.mjs'
import { Random } from './random.mjs'

/** A call that takes longer hangs: endless loops are terminated sooner. */
const HANGS_MS = 30_000
/** Reasons that can end any call while others break something. */
const BROKEN = ['Disconnected', 'Overloaded']

/** The functions that every frontend exposes to the others. */
export const exposed = {
  echo: args => args,
  never: (_args, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
}

/** Makes calls for `ms`, `width` at a time. If `calm` is set, it makes one of each kind, and none may fail. */
export async function runTraffic(bus, { seed, ms, width, calm, labels }) {
  const random = new Random(seed)
  const outcomes = {}
  const problems = []
  const makeCall = async name => {
    const outcome = await settled(name, bus, random, { labels, calm })
    if (outcome.problem) problems.push(`${bus.label}: ${name}: ${outcome.problem}`)
    const counts = (outcomes[name] ??= {})
    counts[outcome.as] = (counts[outcome.as] ?? 0) + 1
  }
  const names = Object.keys(kinds)
  if (calm) {
    for (const name of names) await makeCall(name)
    return { outcomes, problems }
  }
  const end = performance.now() + ms
  const worker = async () => {
    while (performance.now() < end) {
      await makeCall(random.pick(names))
      await delay(random.below(20))
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return { outcomes, problems }
}

async function settled(name, bus, random, { labels, calm }) {
  const { run, may, must } = kinds[name]
  let timer
  const hangs = new Promise(
    resolve => (timer = setTimeout(resolve, HANGS_MS, { as: 'hangs', problem: 'does not settle' })),
  )
  const ends = (async () => run(bus, random, { labels }))().then(
    () => ({ as: 'ok', ...(must && { problem: 'succeeded' }) }),
    error => {
      if (!isBusError(error)) return { as: 'wrong', problem: String(error?.stack ?? error) }
      const { reason } = error
      const expected = may.includes(reason) || (!calm && isCausedByFault(error))
      return { as: reason, ...(!expected && { problem: `${reason}: ${error.message}` }) }
    },
  )
  const outcome = await Promise.race([ends, hangs])
  clearTimeout(timer)
  return outcome
}

/** True for an error that a fault elsewhere causes. An exposed function's errors arrive as `CommandFailed`. */
const isCausedByFault = ({ reason, message }) =>
  BROKEN.includes(reason) || (reason === 'MethodNotFound' && /expose/.test(message))
