// Frontends that need attention, and why: the lines at the top of the page. One line for each cause, the worst first.
import type { CommandStats } from '../contract/call-report.js'
import type { Culprit, Flood, FrontendView } from '../contract/views.js'
import type { Trouble } from './recent.js'
import { getRunLabel } from './run-failures.js'
import { formatRate, formatSeconds, getEditorUrl, listSome } from './texts.js'

interface Clause {
  label: string
  rank: number
  isBad: boolean
  /** Frontends whose clauses have equal causes share a line. */
  cause: string
  count: number
  /** @param times - as `7×` */
  toText(times: string, count: number): string
  cure?: Culprit['cure']
  where?: string | undefined
}

/** Errors that a program can expect. `LoadFailed`: code of a run that is no JavaScript. */
const EXPECTED: ReadonlySet<string> = new Set(['CommandFailed', 'Cancelled', 'LoadFailed'])
/** Expected errors need attention from this number in a minute, if half of all calls fail. */
const MANY_FAILURES = 10
/** Restarts within a minute from which on a frontend is in a crash loop. */
const MANY_RESTARTS = 2
const LONG_MS = 10_000
const LONG_START_MS = 5000
const MAX_SHOWN = 10
/** Labels of one line. */
const MAX_LABELS = 5
const MAX_WHATS = 3
const MAX_WHY = 80
const MAX_CURE = 80
const NAME = /^[\w:|.@*-]{1,40}$/
const MAX_NAMES = 3
const UNCAUGHT_DENIAL = /^(Command \S+ not allowed by ACL): .*$/s
const FAULT = 8
const LAST = 99
/** Reasons that are counted by events, too. */
const COUNTED_APART: ReadonlySet<string> = new Set(['Denied', 'Rejected'])

export interface CulpritSource {
  troubles: readonly Trouble[]
  frontends: readonly FrontendView[]
  commands: readonly CommandStats[]
  flood: Flood | undefined
  editor: string
}

/** Returns at most ten lines, and the number of the other frontends that need attention. */
export function getCulprits(source: CulpritSource): { culprits: Culprit[]; moreCulprits: number } {
  const { troubles, frontends, commands, flood, editor } = source
  const clauses = [
    ...getComputationClauses(frontends),
    ...frontends.flatMap(getStateClauses),
    ...(flood ? [toFloodClause(flood)] : []),
    ...getTroubleClauses(troubles, commands),
  ]
  for (const { command, oldest } of commands) {
    if (!oldest || oldest.ms < LONG_MS) continue
    const { label, name } = getSubject(oldest.label, command)
    const text = `${label === oldest.label ? 'has waited for' : 'has not answered'} ${name}`
    const toText = (): string => `${text} for ${formatSeconds(oldest.ms)}`
    clauses.push({ label, rank: 6, isBad: true, cause: text, count: 1, toText })
  }
  const byLabel = groupBy(
    clauses.toSorted((a, b) => a.rank - b.rank),
    ({ label }) => label,
  ).map(selectClauses)
  const byCause = groupBy(byLabel, shown => JSON.stringify(shown.map(({ cause, isBad }) => [cause, isBad])))
  const all = byCause
    .map(group => ({ rank: group[0].find(({ isBad }) => isBad)?.rank ?? LAST, group }))
    .toSorted((a, b) => a.rank - b.rank)
  const rest = all.slice(MAX_SHOWN).filter(({ rank }) => rank !== LAST)
  return {
    culprits: all.slice(0, MAX_SHOWN).map(({ group }) => toCulprit(group, editor)),
    moreCulprits: rest.reduce((sum, { group }) => sum + group.length, 0),
  }
}

/** A frontend that has ended has no other problem. A fault that ended its thread is the reason of the restart. */
function selectClauses([first, ...others]: Group<Clause>): Group<Clause> {
  if (first.rank === 0) return [first]
  return [first, ...others.filter(({ rank }) => rank !== FAULT || first.rank > 3)]
}

/** @param group - the clauses of each frontend with these troubles */
function toCulprit(group: Group<Group<Clause>>, editorUrl: string): Culprit {
  const [shown, isMany] = [group[0], group.length > 1]
  const labels = group.map(([{ label }]) => label).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const texts = shown.map(({ toText }, i) => {
    const count = group.reduce((sum, clauses) => sum + (clauses[i]?.count ?? 0), 0)
    const text = toText(`${count.toLocaleString('en')}×`, count)
    return isMany ? toPlural(text) : text
  })
  const cured = shown.find(({ cure, isBad }) => isBad && cure)
  const where = shown.find(clause => clause.where)?.where
  const editor = where && getEditorUrl(where, editorUrl)
  return {
    label: labels[0]!,
    ...(isMany && { labels: labels.slice(0, MAX_LABELS), total: labels.length }),
    text: [...new Set(texts)].join('; '),
    isBad: shown.some(({ isBad }) => isBad),
    ...(cured && { cure: cured.cure }),
    ...(editor && { editor }),
  }
}

const PLURALS: Readonly<Record<string, string>> = { is: 'are', was: 'were', has: 'have', waits: 'wait' }
const toPlural = (text: string): string => text.replace(/^(?:is|was|has|waits)(?= )/, verb => PLURALS[verb]!)

function getSubject(label: string, command: string): { label: string; name: string } {
  const [, called, name] = (label === 'host' && /^bus\.call (\S+) (.*)$/s.exec(command)) || []
  return called === undefined ? { label, name: command } : { label: called, name: name! }
}

type Group<T> = [T, ...T[]]

function groupBy<T>(items: readonly T[], getKey: (item: T) => string): Group<T>[] {
  const groups = new Map<string, Group<T>>()
  for (const item of items) {
    const group = groups.get(getKey(item))
    if (group) group.push(item)
    else groups.set(getKey(item), [item])
  }
  return [...groups.values()]
}

const explain = (text: string, why: string, where: string): string =>
  `${text}${why && `: ${shorten(why)}`}${where && ` (${where})`}`

/** The hint of a denial is its cure. */
function shorten(error: string): string {
  const why = error.replace(UNCAUGHT_DENIAL, '$1')
  return why.length > MAX_WHY ? `${why.slice(0, MAX_WHY - 1).trimEnd()}…` : why
}

/** Frontends with the same module have the same error but for their labels. */
const toCause = (text: string, label: string): string => text.replaceAll(JSON.stringify(label), '*')

/** Returns whose code computes while others wait for their thread. */
function getComputationClauses(frontends: readonly FrontendView[]): Clause[] {
  const waiting = frontends.flatMap(({ label, waitsFor, blockedMs = 0 }) =>
    typeof waitsFor === 'string' ? [{ label, waitsFor, blockedMs }] : [],
  )
  return groupBy(waiting, ({ waitsFor }) => waitsFor).map(group => {
    const label = group[0].waitsFor
    const ms = Math.max(...group.map(({ blockedMs }) => blockedMs))
    const others = `${listSome(group.map(each => each.label))} ${group.length === 1 ? 'waits' : 'wait'} for it`
    const toText = (): string => `has computed for ${formatSeconds(ms)}; ${others} (same script host)`
    return { label, rank: 1, isBad: true, cause: `has computed for ${others}`, count: 1, toText }
  })
}

function toFloodClause({ label, rate, share, cpu }: Flood): Clause {
  const ofCore = cpu === undefined ? '' : `, ${Math.round(cpu * 100)} % of a CPU core`
  const text = `made ${Math.floor(share * 100)} % of all calls (${formatRate(rate)}/s${ofCore})`
  return { label, rank: 2, isBad: true, cause: 'made calls', count: 1, toText: () => text }
}

function getStateClauses(frontend: FrontendView): Clause[] {
  const { label, state, gate, error = '', where = '', blockedMs, waitsFor, startedAt } = frontend
  const add = (rank: number, isBad: boolean, text: string, others: Partial<Clause> = {}): Clause[] => [
    { label, rank, isBad, cause: toCause(text, label), count: 1, toText: () => text, ...others },
  ]
  if (state === 'failed') return add(0, true, explain('failed and will not restart', error, where), { where })
  if (state === 'stopped') return add(0, false, 'has finished')
  if (state === 'waiting') {
    return add(0, true, explain('waits for a change of its files', error, where), { where })
  }
  // The one that it waits for has the clause.
  if (typeof waitsFor === 'string') return []
  if (blockedMs !== undefined && waitsFor === null) {
    const toText = (): string => `waits for its script host, which has not responded for ${formatSeconds(blockedMs)}`
    return add(6, blockedMs > LONG_MS, 'waits for its script host', { toText })
  }
  if (blockedMs !== undefined) {
    const toText = (): string => `has not responded for ${formatSeconds(blockedMs)}: it blocks its thread`
    return add(1, true, 'has not responded', { toText })
  }
  // The clause of its restarts says why.
  if (state === 'backingOff') return []
  if (state === 'starting' && startedAt !== undefined && Date.now() - startedAt > LONG_START_MS) {
    const toText = (): string => `has been starting for ${formatSeconds(Date.now() - startedAt)}`
    return add(9, false, 'has been starting', { toText })
  }
  if (state !== 'running' || !gate || gate.state === 'running') return []
  return add(8, gate.state === 'failed', `has a gate that is ${gate.state}`)
}

/** The end of core's error for a frontend whose thread ended because of another one. */
const OF_NEIGHBOR = /\. The thread that [^]+ shared was terminated$/

function getTroubleClauses(troubles: readonly Trouble[], commands: readonly CommandStats[]): Clause[] {
  const groups = groupBy(troubles, ({ label, kind }) => JSON.stringify([label, kind]))
  return groups.flatMap(group => {
    const { label, kind } = group[0]
    const { why, where } = group.at(-1)!
    const sum = group.reduce((total, trouble) => total + trouble.count, 0)
    const whats = group.toSorted((a, b) => b.count - a.count).flatMap(({ what }) => (what ? [what] : []))
    const more = whats.length > MAX_WHATS ? ', …' : ''
    const named = whats.length > 0 ? ` (${whats.slice(0, MAX_WHATS).join(', ')}${more})` : ''
    const cure =
      kind === 'denied'
        ? cureDenial(group.map(trouble => trouble.why))
        : whats[0] && kind === 'refused'
          ? QUOTA_CURE
          : undefined
    const add = (rank: number, toText: Clause['toText'], isBad = true): Clause[] => {
      const cause = `${kind} ${toCause(toText('', 0), label)}`
      return [{ label, rank, isBad, cause, count: sum, toText, cure, where }]
    }
    // Of one that the host has closed since.
    if (kind === 'failed') return add(3, () => explain('failed', why, where))
    if (kind === 'restart') {
      const isInnocent = group.every(trouble => OF_NEIGHBOR.test(trouble.why))
      if (sum < MANY_RESTARTS) return add(3, () => explain('restarted', why, where), !isInnocent)
      return add(1, times => explain(`is crash-looping, restarted ${times} in a minute`, why, where))
    }
    if (kind === 'blocked') {
      if (!whats[0] && label !== 'core') return add(2, times => times && why)
      const text = whats[0] ? `blocked core with ${whats[0]}` : 'was blocked'
      return add(2, times => explain(text, times && why, ''))
    }
    if (kind === 'denied') return add(4, times => `denied ${times}${named}`)
    if (kind === 'refused') {
      const limits = new Set(group.map(trouble => trouble.what || trouble.why).filter(Boolean))
      const reasons = ['Overloaded', ...limits].slice(0, 1 + MAX_WHATS).join(', ')
      return add(4, (_, count) => {
        const calls = count === 1 ? 'call' : 'calls'
        return `had ${count.toLocaleString('en')} ${calls} rejected (${reasons})`
      })
    }
    if (kind === 'rejected') return add(4, times => explain(`rejected by the hook ${times}${named}`, why, ''))
    if (kind === 'slow') {
      return add(6, (_, count) => `made ${count.toLocaleString('en')} slow ${count === 1 ? 'call' : 'calls'}${named}`)
    }
    if (kind === 'overload') {
      return add(7, (_, count) => `too slow for events, of which ${count.toLocaleString('en')} were dropped`)
    }
    if (kind === 'failures') {
      const isBad = group.some(trouble => !EXPECTED.has(trouble.why) || isFrequent(trouble, commands))
      return add(5, times => `failed ${times}${named}`, isBad)
    }
    return kind === 'fault' ? add(FAULT, () => explain('had a fault', why, where)) : []
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
      // The host reports those of runs.
      if (getRunLabel(command) !== undefined) continue
      for (const { label, failures } of callers) {
        for (const [reason, times] of Object.entries(failures)) {
          if (COUNTED_APART.has(reason)) continue
          const key = JSON.stringify([label, command, reason])
          next.set(key, times)
          const count = times - (last.get(key) ?? 0)
          if (count === 0) continue
          const subject = getSubject(label, command)
          const isRefusal = reason === 'Overloaded'
          const what = isRefusal ? subject.name : `${subject.name}: ${reason}`
          const kind = isRefusal ? 'refused' : 'failures'
          found.push({ kind, label: subject.label, what, why: reason, where: '', count })
        }
      }
    }
    this.#last = next
    this.#since = since
    return found
  }
}

/** What core refuses as `Overloaded` has the name of its command. */
const QUOTA_CURE: Culprit['cure'] = { text: 'Let it call less often, or raise its quota in', code: 'calls.quotas' }

/** How core explains a denial: the name, and where it belongs. */
const HINTS: readonly [pattern: RegExp, text: string, toCode: (names: string) => string][] = [
  [/^add "([^"]+)" to the option "allow"/, 'If it may, add to its options:', names => `allow: [${names}]`],
  [
    /^add "([^"]+)" to (?:sallyport\.)?permissions of/,
    'If it may, add to the permissions in its manifest:',
    names => names.replaceAll("'", '"'),
  ],
  [/^grant "([^"]+)", for which/, 'If it may, grant what it asks for:', names => names],
  [/^add "([^"]+)" to the permissions/, "If it may, add to its capability's permissions:", names => names],
  [/^"([^"]+)" is among the permissions/, 'If it may, remove from its capabilities:', names => names],
]

/**
 * Returns what allows denied calls. It never has words of an error, which a plugin chooses: only names that core reports.
 *
 * @param why - the hints of core
 */
export function cureDenial(why: readonly string[]): Culprit['cure'] {
  for (const [pattern, text, toCode] of HINTS) {
    const found = why.flatMap(hint => pattern.exec(hint)?.[1] ?? [])
    const names = [...new Set(found)].filter(name => NAME.test(name)).slice(0, MAX_NAMES)
    // Fewer names if these do not fit.
    for (let count = names.length; count > 0; count--) {
      const shown = names.slice(0, count).map(name => `'${name}'`)
      const cure = { text, code: toCode(shown.join(', ')) }
      if (cure.text.length + 1 + cure.code.length <= MAX_CURE) return cure
    }
  }
  return undefined
}
