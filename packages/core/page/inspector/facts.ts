// The line at the top: the state of the bus, and whether what is shown is up to date.
import { getById, setAttribute, setText } from './dom.js'
import type { Connection, ShowSnapshot, Snapshot } from './follow.js'
import { clock, count, duration, Rates } from './figures.js'

type Tone = 'good' | 'grey' | 'bad'

const SIGNS: Record<Tone, string> = { good: '✓', grey: '–', bad: '!' }
const MAX_LABELS = 5
const MINUTE_MS = 60_000
/** Without a snapshot for this long, the page shows their age. If core does not answer, they come every 1.25 s. */
const LATE_MS = 2500
/** A call that runs for longer is shown at the top. */
const LONG_MS = 10_000

export interface Facts {
  show: ShowSnapshot
  showConnection(connection: Connection): void
}

export function createFacts(): Facts {
  const verdict = getById('verdict', HTMLParagraphElement)
  const sign = getById('sign', HTMLElement)
  const line = getById('line', HTMLElement)
  const facts = getById('facts', HTMLElement)
  let connection: Connection = { state: 'lost' }
  const [lately, age] = [getById('lately', HTMLElement), getById('age', HTMLElement)]
  const minute = new Rates<Snapshot['totals']>(MINUTE_MS)
  let last: { snapshot: Snapshot; at: number } | undefined

  // Only the first text is announced to screen readers: the second one changes with each snapshot.
  const setVerdict = (tone: Tone, text: string, recent = ''): void => {
    setAttribute(verdict, 'class', `verdict ${tone}`)
    setText(sign, SIGNS[tone])
    setText(line, text)
    setText(lately, recent)
    document.title = `${tone === 'bad' ? '! ' : ''}Sallyport inspector`
    document.body.classList.toggle('outdated', connection.state === 'lost')
  }
  const render = (): void => {
    const time = last ? ` Shown as of ${clock(last.at)}.` : ''
    if (connection.state === 'ended') setVerdict('grey', `${connection.why}${time}`)
    else if (connection.state === 'lost') setVerdict('bad', `No connection to the bus: reconnecting.${time}`)
    else if (connection.state === 'paused') setVerdict('grey', `Paused.${time}`)
    else if (last) setVerdict(...getHealth(last.snapshot, minute))
  }
  setInterval(() => {
    const ms = last && connection.state === 'live' ? Date.now() - last.at : 0
    setText(age, ms > LATE_MS ? `(as of ${duration(ms)} ago)` : '')
  }, 500)
  return {
    showConnection(current) {
      connection = current
      if (connection.state !== 'live') render()
    },
    show(snapshot) {
      last = { snapshot, at: Date.now() }
      minute.add(snapshot.uptime, snapshot.totals)
      const { core, open, uptime, since } = snapshot
      const frontends = `${open} ${open === 1 ? 'frontend' : 'frontends'}`
      setText(facts, `up ${duration(uptime)} · ${frontends} · core ${formatRestarts(core.restarts)}`)
      for (const element of document.querySelectorAll('.since')) setText(element, `since ${clock(since)}`)
      render()
    },
  }
}

const formatRestarts = (restarts: number): string =>
  restarts === 0 ? 'has never restarted' : `has restarted ${restarts === 1 ? 'once' : `${restarts} times`}`

/** Returns the state, and what happened in the last minute, or since the page was opened. */
function getHealth(
  { bus, core, frontends, commands }: Snapshot,
  minute: Rates<Snapshot['totals']>,
): [tone: Tone, state: string, lately?: string] {
  if (bus === 'failed') return ['bad', 'The bus has failed: core has ended and will not restart.']
  if (bus === 'draining') return ['grey', 'The bus is closing.']
  if (core.state !== 'running') return ['bad', `Core is ${core.state}.`]
  if (!core.answers) return ['bad', 'Core does not answer: a handler blocks it.']
  const unwell = frontends.filter(({ state, gate }) => state !== 'running' || (gate && gate.state !== 'running'))
  const labels = unwell.slice(0, MAX_LABELS).map(({ label }) => label)
  const state = `The bus is running${labels.length > 0 ? `, except for ${labels.join(', ')}` : ''}.`
  const counts = (['restarts', 'failures', 'denied', 'rejected', 'dropped'] as const)
    .map(key => [key, minute.getChange(key)] as const)
    .filter(([, change]) => change > 0)
    .map(([key, change]) => `${key} ${count(change)}`)
  const span = minute.spanMs < MINUTE_MS ? duration(Math.max(1000, minute.spanMs)) : 'minute'
  const recent = counts.length > 0 ? `In the last ${span}: ${counts.join(', ')}.` : ''
  const [oldest] = (commands ?? []).toSorted((a, b) => (b.oldest?.ms ?? 0) - (a.oldest?.ms ?? 0))
  const isLong = oldest?.oldest && oldest.oldest.ms > LONG_MS
  const call = isLong
    ? ` Oldest call: ${oldest.command} of ${oldest.oldest!.label}, ${duration(oldest.oldest!.ms)}.`
    : ''
  return [labels.length > 0 || recent || call ? 'bad' : 'good', state, recent + call]
}
