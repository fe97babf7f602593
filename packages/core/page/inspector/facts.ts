// The line at the top: the state of the bus, and whether what is shown is up to date.
import { create, getById, setAttribute, setText } from './dom.js'
import type { Connection, ShowSnapshot, Snapshot } from './follow.js'
import { clock, count, duration } from './figures.js'

type Tone = 'good' | 'grey' | 'bad'

const SIGNS: Record<Tone, string> = { good: '✓', grey: '–', bad: '!' }
/** Without a snapshot for this long, the page shows their age. If core does not answer, they come every half second. */
const LATE_MS = 2500
/** A core that does not answer for longer is blocked. */
const BLOCKED_MS = 1000

export interface Facts {
  show: ShowSnapshot
  showConnection(connection: Connection): void
}

/** @param select - called with the label of a frontend that was clicked */
export function createFacts(select: (label: string) => void): Facts {
  const verdict = getById('verdict', HTMLDivElement)
  const sign = getById('sign', HTMLElement)
  const line = getById('line', HTMLElement)
  const facts = getById('facts', HTMLElement)
  let connection: Connection = { state: 'lost' }
  const age = getById('age', HTMLElement)
  const showCulprits = createCulprits(select)
  let last: { snapshot: Snapshot; at: number } | undefined

  // Only the first text is announced to screen readers: the lines below change with each snapshot.
  const setVerdict = (tone: Tone, text: string): void => {
    setAttribute(verdict, 'class', `verdict ${tone}`)
    setText(sign, SIGNS[tone])
    setText(line, text)
    showCulprits(last && connection.state === 'live' ? last.snapshot : undefined)
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
      const { core, open, ended, uptime, since } = snapshot
      const others = ended > 0 ? ` · ${count(ended)} ended` : ''
      const frontends = `${count(open)} ${open === 1 ? 'frontend' : 'frontends'}${others}`
      setText(facts, `up ${duration(uptime)} · ${frontends} · core ${formatRestarts(core.restarts)}`)
      for (const element of document.querySelectorAll('.since')) setText(element, `since ${clock(since)}`)
      render()
    },
  }
}

/** Returns a function that shows a line for each frontend that needs attention. Lines keep their elements, and so focus. */
function createCulprits(select: (label: string) => void): (snapshot: Snapshot | undefined) => void {
  const list = getById('culprits', HTMLUListElement)
  let lines = new Map<string, HTMLElement>()
  const createLine = (label: string): HTMLElement => {
    const button = create('button', { type: 'button', class: 'link' })
    button.addEventListener('click', () => select(label))
    setText(button, label)
    return create('li', { dir: 'auto' }, button, create('span'))
  }
  return snapshot => {
    const { culprits = [], moreCulprits = 0 } = snapshot ?? {}
    const next = new Map<string, HTMLElement>()
    culprits.forEach(({ label, text, isBad }, i) => {
      const line = lines.get(label) ?? createLine(label)
      next.set(label, line)
      setText(line.lastElementChild!, ` ${text}`)
      setAttribute(line, 'class', isBad ? 'bad' : 'soft')
      if (list.children[i] !== line) list.insertBefore(line, list.children[i] ?? null)
    })
    while (list.children.length > culprits.length) list.lastElementChild!.remove()
    lines = next
    list.hidden = culprits.length === 0
    setText(getById('others', HTMLElement), moreCulprits > 0 ? `and ${count(moreCulprits)} more` : '')
  }
}

const formatRestarts = (restarts: number): string =>
  restarts === 0 ? 'has never restarted' : `has restarted ${restarts === 1 ? 'once' : `${restarts} times`}`

/** Returns the state of the bus as a sentence. */
function getHealth({ bus, core, culprits, moreCulprits }: Snapshot): [tone: Tone, state: string] {
  if (bus === 'failed') return ['bad', 'The bus has failed: core has ended and will not restart.']
  if (bus === 'draining') return ['grey', 'The bus is closing.']
  if (core.state === 'backingOff') return ['bad', 'Core waits to restart.']
  if (core.state !== 'running') return ['bad', `Core is ${core.state}.`]
  if (core.blocked && core.blocked.ms > BLOCKED_MS) return ['bad', describeBlock(core.blocked)]
  const bad = culprits.filter(({ isBad }) => isBad).length + moreCulprits
  if (bad === 0) return ['good', 'The bus is running.']
  return ['bad', `The bus is running. ${bad === 1 ? 'One needs' : `${count(bad)} need`} attention:`]
}

function describeBlock({ ms, label, command }: NonNullable<Snapshot['core']['blocked']>): string {
  const culprit = label === undefined ? 'a handler blocks it' : `${command}, which ${label} called, blocks it`
  return `Core has not answered for ${duration(ms)}: ${culprit}.`
}
