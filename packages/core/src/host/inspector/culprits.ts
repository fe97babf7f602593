// Frontends that need attention, and why: the lines at the top of the page. One line for each frontend, the worst first.
import type { CommandStats } from '../../shared/call-watch.js'
import type { Trouble } from './last-minute.js'
import { formatSeconds } from './printable.js'
import type { Culprit, FrontendView } from './views.js'

interface Clause extends Culprit {
  rank: number
}

/** Errors that a program can expect. */
const EXPECTED: ReadonlySet<string> = new Set(['CommandFailed', 'Cancelled'])
/** Expected errors need attention from this number in a minute, if half of all calls fail. */
const MANY_FAILURES = 10
/** Restarts within a minute from which on a frontend is in a crash loop. */
const MANY_RESTARTS = 2
/** A call that runs for longer is shown at the top. */
const LONG_MS = 10_000
const LONG_START_MS = 5000
const MAX_SHOWN = 6
const MAX_WHATS = 3
const FAULT = 8
const LAST = 99
/** Reasons that are counted by events, too. */
const COUNTED_APART: ReadonlySet<string> = new Set(['Denied', 'Rejected'])

export interface CulpritSource {
  /** Troubles of the last minute. */
  troubles: readonly Trouble[]
  /** Those that are not running, or do not respond. */
  frontends: readonly FrontendView[]
  commands: readonly CommandStats[]
}

/** Returns at most six, and the number of the others that need attention. */
export function getCulprits(source: CulpritSource): { culprits: Culprit[]; moreCulprits: number } {
  const { troubles, frontends, commands } = source
  const clauses = [...frontends.flatMap(getStateClauses), ...getTroubleClauses(troubles, commands)]
  for (const { command, oldest } of commands) {
    if (!oldest || oldest.ms < LONG_MS) continue
    const { label, name } = getSubject(oldest.label, command)
    const verb = label === oldest.label ? 'has waited for' : 'has not answered'
    clauses.push({ label, rank: 6, isBad: true, text: `${verb} ${name} for ${formatSeconds(oldest.ms)}` })
  }
  const byLabel = groupBy(
    clauses.toSorted((a, b) => a.rank - b.rank),
    ({ label }) => label,
  )
  const all = byLabel
    .map(([first, ...others]): Culprit & { rank: number } => {
      // A frontend that has ended has no other problem. A fault that ended its thread is the reason of the restart.
      const shown =
        first!.rank === 0 ? [first!] : [first!, ...others.filter(({ rank }) => rank !== FAULT || first!.rank > 3)]
      return {
        ...{ label: first!.label, rank: shown.find(({ isBad }) => isBad)?.rank ?? LAST },
        text: [...new Set(shown.map(({ text }) => text))].join('; '),
        isBad: shown.some(({ isBad }) => isBad),
      }
    })
    .toSorted((a, b) => a.rank - b.rank)
  const culprits = all.slice(0, MAX_SHOWN).map(({ rank: _rank, ...culprit }) => culprit)
  return { culprits, moreCulprits: all.slice(MAX_SHOWN).filter(({ isBad }) => isBad).length }
}

/** Returns the caller of a command, or the frontend whose function the host calls. */
function getSubject(label: string, command: string): { label: string; name: string } {
  const [, called, name] = (label === 'host' && /^bus\.call (\S+) (.*)$/s.exec(command)) || []
  return called === undefined ? { label, name: command } : { label: called, name: name! }
}

function groupBy<T>(items: readonly T[], getKey: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(getKey(item))
    if (group) group.push(item)
    else groups.set(getKey(item), [item])
  }
  return [...groups.values()]
}

const explain = (text: string, why: string, where: string): string =>
  `${text}${why && `: ${why}`}${where && ` (${where})`}`

function getStateClauses({ label, state, gate, error, where, isClosed, blockedMs, startedAt }: FrontendView): Clause[] {
  const add = (rank: number, isBad: boolean, text: string): Clause[] => [{ label, rank, isBad, text }]
  const why: [string, string] = [error ?? '', where ?? '']
  if (isClosed) return add(0, true, explain('failed, and the host closed it', ...why))
  if (state === 'failed') return add(0, true, explain('failed and will not restart', ...why))
  if (state === 'stopped') return add(0, false, 'has finished')
  if (state === 'waiting') return add(0, true, explain('waits for a change of its files', ...why))
  if (blockedMs !== undefined)
    return add(1, true, `has not responded for ${formatSeconds(blockedMs)}: it blocks its thread`)
  // The clause of its restarts says why.
  if (state === 'backingOff') return []
  if (state === 'starting' && startedAt !== undefined && Date.now() - startedAt > LONG_START_MS) {
    return add(9, false, `has been starting for ${formatSeconds(Date.now() - startedAt)}`)
  }
  if (state !== 'running') return []
  return gate && gate.state !== 'running' ? add(8, gate.state === 'failed', `has a gate that is ${gate.state}`) : []
}

function getTroubleClauses(troubles: readonly Trouble[], commands: readonly CommandStats[]): Clause[] {
  const groups = groupBy(troubles, ({ label, kind }) => JSON.stringify([label, kind]))
  return groups.flatMap(group => {
    const { label, kind } = group[0]!
    const { why, where } = group.at(-1)!
    const count = group.reduce((sum, trouble) => sum + trouble.count, 0)
    const times = `${count.toLocaleString('en')}×`
    const whats = group.toSorted((a, b) => b.count - a.count).flatMap(({ what }) => (what ? [what] : []))
    const more = whats.length > MAX_WHATS ? ', …' : ''
    const named = whats.length > 0 ? ` (${whats.slice(0, MAX_WHATS).join(', ')}${more})` : ''
    const add = (rank: number, text: string, isBad = true): Clause[] => [{ label, rank, text, isBad }]
    if (kind === 'restart') {
      const loop = `is crash-looping, restarted ${times} in a minute`
      const text = count < MANY_RESTARTS ? 'restarted' : loop
      return add(count < MANY_RESTARTS ? 3 : 1, explain(text, why, where))
    }
    if (kind === 'blocked') return add(2, explain(whats[0] ? `blocked core with ${whats[0]}` : 'was blocked', why, ''))
    if (kind === 'denied') return add(4, `denied ${times}${named}`)
    if (kind === 'rejected') return add(4, explain(`rejected by the hook ${times}${named}`, why, ''))
    if (kind === 'slow') return add(6, `made ${times} slow calls${named}`)
    if (kind === 'overload') return add(7, `too slow for events, of which ${count.toLocaleString('en')} were dropped`)
    if (kind === 'failures') {
      const isBad = group.some(trouble => !EXPECTED.has(trouble.why) || isFrequent(trouble, commands))
      return add(5, `failed ${times}${named}`, isBad)
    }
    return kind === 'fault' ? add(FAULT, explain('had a fault', why, where)) : []
  })
}

function isFrequent({ label, what, count }: Trouble, commands: readonly CommandStats[]): boolean {
  if (count < MANY_FAILURES) return false
  const name = what.slice(0, what.lastIndexOf(': '))
  const callers = commands.flatMap(({ command, callers: found }) =>
    found.filter(caller => {
      const subject = getSubject(caller.label, command)
      return subject.label === label && subject.name === name
    }),
  )
  const failures = callers.flatMap(caller => Object.values(caller.failures)).reduce((sum, each) => sum + each, 0)
  return failures * 2 >= callers.reduce((sum, { calls }) => sum + calls, 0)
}

/** Returns the failures since the previous call, as troubles of their callers. */
export class FailureCounts {
  #last = new Map<string, number>()
  #since = 0

  /** @param since - when core began to count */
  getNew(since: number, commands: readonly CommandStats[]): Trouble[] {
    const last = since === this.#since ? this.#last : new Map<string, number>()
    const next = new Map<string, number>()
    const found: Trouble[] = []
    for (const { command, callers } of commands) {
      for (const { label, failures } of callers) {
        for (const [reason, times] of Object.entries(failures)) {
          if (COUNTED_APART.has(reason)) continue
          const key = JSON.stringify([label, command, reason])
          next.set(key, times)
          const count = times - (last.get(key) ?? 0)
          if (count === 0) continue
          const subject = getSubject(label, command)
          const what = `${subject.name}: ${reason}`
          found.push({ kind: 'failures', label: subject.label, what, why: reason, where: '', count })
        }
      }
    }
    this.#last = next
    this.#since = since
    return found
  }
}
