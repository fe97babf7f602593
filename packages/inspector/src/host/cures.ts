// What people can do about a trouble: one line for each kind. Code to copy never has words of an error, which a plugin chooses: only those
// that core reports.
import { basename } from 'node:path'
import type { Cure, Culprit } from '../contract/views.js'
import type { Trouble } from './last-minute.js'

/** Characters of a cure with its code. */
export const MAX_CURE = 80
/** Names that stand in code as they are. */
const NAME = /^[\w:|.@*-]{1,40}$/
const MAX_NAMES = 3
const MAX_IN_FLIGHT = 16_384

/** How core explains a denial: the name, and where it belongs. */
const HINTS: readonly [pattern: RegExp, text: string, toCode: (names: readonly string[]) => string][] = [
  [/^add "([^"]+)" to the option "allow"/, 'If it may, add to its options:', names => `allow: [${quote(names)}]`],
  [/^add "([^"]+)" to the permissions/, "If it may, add to its capability's permissions:", names => quote(names)],
  [/^"([^"]+)" is among the permissions/, 'If it may, remove from its capabilities:', names => quote(names)],
]
const SEE_DENIED: Cure = { text: 'If it may, change its capabilities: Why is under “Denied and rejected”' }

const quote = (names: readonly string[]): string => names.map(name => `'${name}'`).join(', ')

/** @param why - the hints of core */
export function cureDenial(why: readonly string[]): Cure {
  for (const [pattern, text, toCode] of HINTS) {
    const found = why.flatMap(hint => pattern.exec(hint)?.[1] ?? [])
    const names = [...new Set(found)].filter(name => NAME.test(name)).slice(0, MAX_NAMES)
    if (names.length === 0) continue
    // Fewer names if these do not fit.
    for (let count = names.length; count > 0; count--) {
      const cure = { text, code: toCode(names.slice(0, count)) }
      if (cure.text.length + 1 + cure.code.length <= MAX_CURE) return cure
    }
  }
  return SEE_DENIED
}

/** @param limit - as in `maxInFlight 16`, if it was the limit of the frontend's own client */
export function cureRefusal(limit: string | undefined): Cure {
  const max = Number(limit?.replace('maxInFlight ', ''))
  if (!Number.isInteger(max) || max >= MAX_IN_FLIGHT)
    return { text: 'Let it await its calls, or raise its quota in calls.quotas' }
  return { text: 'Let it await its calls, or allow more:', code: `maxInFlight: ${Math.min(MAX_IN_FLIGHT, 2 * max)}` }
}

/** @param why - what the hook did */
function cureRejection(why: string): Cure {
  if (why.includes('threw')) return { text: 'Fix the isolation hook: it throws for this message' }
  if (why.includes('timed out')) return { text: 'Make the isolation hook faster, or raise its hookTimeout' }
  if (why.includes('waited')) return { text: 'Let it send fewer messages, or make the isolation hook faster' }
  return { text: 'Let the isolation hook accept this message, or let the frontend not send it' }
}

const ERRORS: readonly [RegExp, string][] = [
  [/^Uncaught denial of /, 'Allow the command, or await its call and catch the error'],
  [/is an `await` missing\?/, 'Await the call, and catch its error'],
  [/memory/i, 'Find what it keeps in memory, or raise its limit of memory'],
  [/ of a core for /, 'Let it compute less, or raise its limit cpu'],
  [/blocked its event loop/, 'Split its work, or raise supervision.heartbeat'],
  [/^Cannot find (?:package|module)/i, 'Install it, or move the module below a directory whose node_modules has it'],
]
const FIX = 'Fix the code at '

/** @param where - file and line */
export function cureError(error: string, where: string): Cure {
  const known = ERRORS.find(([pattern]) => pattern.test(error))
  if (known) return { text: known[1] }
  if (!where) return { text: 'Fix the error: the log has more of it' }
  return { text: `${FIX}${basename(where).slice(-(MAX_CURE - FIX.length))}` }
}

/** By the reason of an error. */
const FAILURES: Readonly<Record<string, string>> = {
  CommandFailed: 'Fix the command, or the arguments that it gets',
  InvalidParams: 'Fix the arguments: the error in its code names the first invalid one',
  MethodNotFound: 'Fix the name of the command or function, or add it',
  Timeout: 'Answer sooner, or raise the timeout of the call',
}

type Kind = 'waiting' | 'gate' | 'loop' | 'blocked' | 'slow' | 'events'
const CURES: Readonly<Record<Kind, Cure>> = {
  waiting: { text: 'Save a fixed file: the frontend starts again by itself' },
  gate: { text: 'Fix the isolation hook: the log has its error' },
  loop: { text: 'Split its loop, or end it sooner:', code: 'supervision: { heartbeat: 2000 }' },
  blocked: { text: 'Run its command in the pool:', code: "thread: new URL('./x.js', import.meta.url)" },
  slow: { text: 'Answer sooner, or end such calls:', code: 'calls: { timeout: 10_000 }' },
  events: { text: 'Emit fewer events, or let it listen to fewer' },
}

export const getCure = (kind: Kind): Cure => CURES[kind]

/** Returns the cure of troubles of one kind. */
export function cureTroubles(kind: string, troubles: readonly Trouble[]): Culprit['cure'] {
  const { why, where } = troubles.at(-1)!
  if (kind === 'denied') return cureDenial(troubles.map(trouble => trouble.why))
  if (kind === 'refused') return cureRefusal(troubles.find(trouble => trouble.why.startsWith('maxInFlight '))?.why)
  if (kind === 'rejected') return cureRejection(why)
  if (kind === 'restart' || kind === 'fault') return cureError(why, where)
  if (kind === 'blocked') return getCure(troubles.some(({ what }) => what) ? 'blocked' : 'loop')
  if (kind === 'slow') return getCure('slow')
  if (kind === 'failures' && Object.hasOwn(FAILURES, why)) return { text: FAILURES[why]! }
  return kind === 'overload' ? getCure('events') : undefined
}
