// The line at the top: the state of the bus, and whether what is shown is up to date.
import { createCulprits } from './culprits.js'
import { getById, setAttribute, setText } from './dom.js'
import type { Connection, ShowSnapshot, Snapshot } from './follow.js'
import { clock, count, duration } from './figures.js'

type Tone = 'good' | 'grey' | 'bad'

const SIGNS: Record<Tone, string> = { good: '✓', grey: '–', bad: '!' }
/** Colours of the icon of the browser's tab. */
const DOTS: Record<Tone, string> = { good: '0065a3', grey: '85888a', bad: 'd85a00' }
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
  const icon = getById('icon', HTMLLinkElement)
  let connection: Connection = { state: 'lost' }
  const age = getById('age', HTMLElement)
  const showCulprits = createCulprits(select)
  let last: { snapshot: Snapshot; at: number } | undefined

  // Only the first text is announced to screen readers: the lines below change with each snapshot.
  const setVerdict = (tone: Tone, text: string): void => {
    setAttribute(verdict, 'class', `verdict ${tone}`)
    setText(sign, SIGNS[tone])
    setText(line, text)
    showCulprits(last?.snapshot)
    const name = last ? `${last.snapshot.program.name} (${last.snapshot.program.pid}) · ` : ''
    document.title = `${tone === 'bad' ? '! ' : ''}${name}Sallyport inspector`
    setAttribute(icon, 'href', drawDot(DOTS[tone]))
    document.body.classList.toggle('outdated', connection.state === 'lost')
  }
  const render = (): void => {
    const time = last ? ` Shown as of ${clock(last.at)}.` : ''
    const bad = last ? countBad(last.snapshot) : 0
    const getCulprits = (when: string): string => (bad > 0 ? ` ${when}, ${count(bad)} needed attention:` : '')
    if (connection.state === 'ended') {
      setVerdict(bad > 0 ? 'bad' : 'grey', `${connection.why}${time}${getCulprits('When it closed')}`)
    } else if (connection.state === 'lost') {
      setVerdict('bad', `No connection to the bus: reconnecting.${time}${getCulprits('By then')}`)
    } else if (connection.state === 'paused') setVerdict('grey', `Paused.${time}${getCulprits('By then')}`)
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
      const { program, core, open, ended, spares, uptime, since } = snapshot
      const { name, pid, directory, node } = program
      setText(getById('program', HTMLElement), `${name} · pid ${pid} · in ${directory} · Node.js ${node}`)
      const others = ended > 0 ? ` · ${count(ended)} ended` : ''
      const waiting = spares > 0 ? ` · ${count(spares)} spare ${spares === 1 ? 'process' : 'processes'}` : ''
      const frontends = `${count(open)} ${open === 1 ? 'frontend' : 'frontends'}${others}${waiting}`
      setText(facts, `up ${duration(uptime)} · ${frontends} · core ${formatRestarts(core.restarts)}`)
      for (const element of document.querySelectorAll('.since')) setText(element, ` since ${clock(since)}`)
      render()
    },
  }
}

const drawDot = (color: string): string =>
  `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7' fill='%23${color}'/></svg>`

const formatRestarts = (restarts: number): string =>
  restarts === 0 ? 'has never restarted' : `has restarted ${restarts === 1 ? 'once' : `${restarts} times`}`

/** Returns the state of the bus as a sentence. */
function getHealth(snapshot: Snapshot): [tone: Tone, state: string] {
  const { bus, core } = snapshot
  if (bus === 'failed') return ['bad', 'The bus has failed: core has ended and will not restart.']
  if (bus === 'draining') return ['grey', 'The bus is closing.']
  if (core.state === 'backingOff') return ['bad', 'Core waits to restart.']
  if (core.state !== 'running') return ['bad', `Core is ${core.state}.`]
  if (core.blocked && core.blocked.ms > BLOCKED_MS) return ['bad', describeBlock(core.blocked)]
  const bad = countBad(snapshot)
  if (bad === 0) return ['good', 'The bus is running.']
  return ['bad', `The bus is running. ${bad === 1 ? 'One needs' : `${count(bad)} need`} attention:`]
}

const countBad = ({ culprits, moreCulprits }: Snapshot): number =>
  culprits.reduce((sum, { isBad, total = 1 }) => sum + (isBad ? total : 0), moreCulprits)

function describeBlock({ ms, label, command }: NonNullable<Snapshot['core']['blocked']>): string {
  const culprit = label === undefined ? 'a handler blocks it' : `${command}, which ${label} called, blocks it`
  return `Core has not answered for ${duration(ms)}: ${culprit}.`
}
