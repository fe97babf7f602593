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

export type CureName =
  | 'allow'
  | 'permission'
  | 'deny'
  | 'capabilities'
  | 'quota'
  | 'maxInFlight'
  | 'hookThrows'
  | 'hookTimeout'
  | 'hookQueue'
  | 'hookRejects'
  | 'uncaughtDenial'
  | 'uncaughtError'
  | 'memory'
  | 'cpu'
  | 'heartbeat'
  | 'package'
  | 'code'
  | 'error'
  | 'command'
  | 'arguments'
  | 'name'
  | 'timeout'
  | 'file'
  | 'gate'
  | 'busy'
  | 'pool'
  | 'slowCommand'
  | 'slowFunction'
  | 'events'

/** What people can do, by name. A test applies each, and sees the trouble end. */
export const CURES: Readonly<Record<CureName, Cure>> = {
  allow: { text: 'If it may, add to its options:' },
  permission: { text: "If it may, add to its capability's permissions:" },
  deny: { text: 'If it may, remove from its capabilities:' },
  capabilities: { text: 'If it may, change its capabilities: Why is under “Denied and rejected”' },
  quota: { text: 'Let it call less often, or raise its quota in calls.quotas' },
  maxInFlight: { text: 'Let it await its calls, or allow more:' },
  hookThrows: { text: 'Fix the isolation hook: it throws for this message' },
  hookTimeout: { text: 'Make the isolation hook faster, or raise its hookTimeout' },
  hookQueue: { text: 'Let it send fewer messages, or make the isolation hook faster' },
  hookRejects: { text: 'Let the isolation hook accept this message, or let the frontend not send it' },
  uncaughtDenial: { text: 'Allow the command, or await its call and catch the error' },
  uncaughtError: { text: 'Await the call, and catch its error' },
  memory: { text: 'Find what it keeps in memory, or raise its limit of memory' },
  cpu: { text: 'Let it compute less, or raise its limit cpu' },
  heartbeat: { text: 'Split its work, or raise supervision.heartbeat' },
  package: { text: 'Install it, or move the module below a directory whose node_modules has it' },
  code: { text: 'Fix the code at ' },
  error: { text: 'Fix the error: the log has more of it' },
  command: { text: 'Fix the command, or the arguments that it gets' },
  arguments: { text: 'Fix the arguments: the error in its code names the first invalid one' },
  name: { text: 'Fix the name of the command or function, or add it' },
  timeout: { text: 'Answer sooner than the timeout of the call' },
  file: { text: 'Save a fixed file: the frontend starts again by itself' },
  gate: { text: 'Fix the isolation hook: the log has its error' },
  // It is not known yet whether a loop or the search for free memory blocks the thread.
  busy: { text: 'Split its work, or let it keep less if its memory is full' },
  pool: { text: 'Run its command in the pool:', code: "thread: new URL('./x.js', import.meta.url)" },
  slowCommand: { text: 'Answer sooner, or end such calls:', code: 'calls: { commandTimeout: 10_000 }' },
  slowFunction: { text: 'Answer sooner, or end such calls:', code: 'calls: { timeout: 10_000 }' },
  events: { text: 'Emit fewer events, or let it listen to fewer' },
}

/** How core explains a denial: the name, and where it belongs. */
const HINTS: readonly [pattern: RegExp, cure: Cure, toCode: (names: readonly string[]) => string][] = [
  [/^add "([^"]+)" to the option "allow"/, CURES.allow, names => `allow: [${quote(names)}]`],
  [/^add "([^"]+)" to the permissions/, CURES.permission, names => quote(names)],
  [/^"([^"]+)" is among the permissions/, CURES.deny, names => quote(names)],
]

const quote = (names: readonly string[]): string => names.map(name => `'${name}'`).join(', ')

/** @param why - the hints of core */
export function cureDenial(why: readonly string[]): Cure {
  for (const [pattern, { text }, toCode] of HINTS) {
    const found = why.flatMap(hint => pattern.exec(hint)?.[1] ?? [])
    const names = [...new Set(found)].filter(name => NAME.test(name)).slice(0, MAX_NAMES)
    if (names.length === 0) continue
    // Fewer names if these do not fit.
    for (let count = names.length; count > 0; count--) {
      const cure = { text, code: toCode(names.slice(0, count)) }
      if (cure.text.length + 1 + cure.code.length <= MAX_CURE) return cure
    }
  }
  return CURES.capabilities
}

/** @param limit - as in `maxInFlight 16`, if it was the limit of the frontend's own client */
export function cureRefusal(limit: string | undefined): Cure {
  const max = Number(limit?.replace('maxInFlight ', ''))
  if (!Number.isInteger(max) || max >= MAX_IN_FLIGHT) return CURES.quota
  return { ...CURES.maxInFlight, code: `maxInFlight: ${Math.min(MAX_IN_FLIGHT, 2 * max)}` }
}

/** @param why - what the hook did */
function cureRejection(why: string): Cure {
  if (why.includes('threw')) return CURES.hookThrows
  if (why.includes('timed out')) return CURES.hookTimeout
  return why.includes('waited') ? CURES.hookQueue : CURES.hookRejects
}

const ERRORS: readonly [RegExp, Cure][] = [
  [/^Uncaught denial of /, CURES.uncaughtDenial],
  [/is an `await` missing\?/, CURES.uncaughtError],
  [/memory/i, CURES.memory],
  [/ of a core for /, CURES.cpu],
  [/blocked its event loop/, CURES.heartbeat],
  [/^Cannot find (?:package|module)/i, CURES.package],
]

/** @param where - file and line */
export function cureError(error: string, where: string): Cure {
  const known = ERRORS.find(([pattern]) => pattern.test(error))
  if (known) return known[1]
  if (!where) return CURES.error
  const { text } = CURES.code
  return { text: `${text}${basename(where).slice(-(MAX_CURE - text.length))}` }
}

/** By the reason of an error. */
const FAILURES: Readonly<Record<string, Cure>> = {
  CommandFailed: CURES.command,
  InvalidParams: CURES.arguments,
  MethodNotFound: CURES.name,
  Timeout: CURES.timeout,
}

/** @param command - of core, or `bus.call <label> <name>` for a function of a frontend, which has a timeout of its own */
export const cureSlowness = (command: string): Cure =>
  command.startsWith('bus.call ') ? CURES.slowFunction : CURES.slowCommand

/** Returns the cure of troubles of one kind. */
export function cureTroubles(kind: string, troubles: readonly Trouble[]): Culprit['cure'] {
  const { why, where, what } = troubles.at(-1)!
  if (kind === 'denied') return cureDenial(troubles.map(trouble => trouble.why))
  if (kind === 'refused') return cureRefusal(troubles.find(trouble => trouble.why.startsWith('maxInFlight '))?.why)
  if (kind === 'rejected') return cureRejection(why)
  if (kind === 'restart' || kind === 'fault') return cureError(why, where)
  if (kind === 'blocked') return troubles.some(trouble => trouble.what) ? CURES.pool : CURES.busy
  if (kind === 'slow') return cureSlowness(what)
  if (kind === 'failures' && Object.hasOwn(FAILURES, why)) return FAILURES[why]!
  return kind === 'overload' ? CURES.events : undefined
}
