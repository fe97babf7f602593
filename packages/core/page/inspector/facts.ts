// The line at the top: the state of the bus, and whether what is shown is up to date.
import { getById, setAttribute, setText } from './dom.js'
import type { Connection, ShowSnapshot, Snapshot } from './follow.js'
import { clock, duration } from './figures.js'

type Tone = 'good' | 'grey' | 'bad'

const SIGNS: Record<Tone, string> = { good: '✓', grey: '–', bad: '!' }
const MAX_LABELS = 5

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
  let last: { snapshot: Snapshot; at: number } | undefined

  const setVerdict = (tone: Tone, text: string): void => {
    setAttribute(verdict, 'class', `verdict ${tone}`)
    setText(sign, SIGNS[tone])
    setText(line, text)
    document.title = `${tone === 'bad' ? '! ' : ''}Sallyport inspector`
    document.body.classList.toggle('outdated', connection.state === 'lost')
  }
  const render = (): void => {
    const time = last ? ` Shown as of ${clock(last.at)}.` : ''
    if (connection.state === 'ended') setVerdict('grey', `${connection.why}${time}`)
    else if (connection.state === 'lost') setVerdict('bad', `No connection to the bus: reconnecting.${time}`)
    else if (connection.state === 'paused') setVerdict('grey', `Paused.${time}`)
    else if (last) setVerdict(...getHealth(last.snapshot))
  }
  return {
    showConnection(current) {
      connection = current
      if (connection.state !== 'live') render()
    },
    show(snapshot) {
      last = { snapshot, at: Date.now() }
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

function getHealth({ bus, core, frontends }: Snapshot): [Tone, string] {
  if (bus === 'failed') return ['bad', 'The bus has failed: core has ended and will not restart.']
  if (bus === 'draining') return ['grey', 'The bus is closing.']
  if (core.state !== 'running') return ['bad', `Core is ${core.state}.`]
  if (!core.answers) return ['bad', 'Core does not answer: a handler blocks it.']
  const unwell = frontends.filter(({ state, gate }) => state !== 'running' || (gate && gate.state !== 'running'))
  if (unwell.length === 0) return ['good', 'The bus is running.']
  const labels = unwell.slice(0, MAX_LABELS).map(({ label }) => label)
  return ['bad', `The bus is running, except for ${labels.join(', ')}.`]
}
