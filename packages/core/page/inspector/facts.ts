// The line at the top: how the bus is, and whether this is still what it is.
import { byId, setAttribute, setText } from './dom.js'
import type { Connection, Snapshot } from './follow.js'
import { clock, duration } from './format.js'
import type { Part } from './part.js'

type Tone = 'good' | 'grey' | 'bad'

const SIGNS: Record<Tone, string> = { good: '✓', grey: '–', bad: '!' }

export interface Facts extends Part {
  connection(connection: Connection): void
}

export function createFacts(): Facts {
  const verdict = byId('verdict', HTMLParagraphElement)
  const [sign, line, facts] = [byId('sign', HTMLElement), byId('line', HTMLElement), byId('facts', HTMLElement)]
  let state: Connection = { state: 'lost' }
  let last: { snapshot: Snapshot; at: number } | undefined

  const say = (tone: Tone, text: string): void => {
    setAttribute(verdict, 'class', `verdict ${tone}`)
    setText(sign, SIGNS[tone])
    setText(line, text)
    document.title = `${tone === 'bad' ? '! ' : ''}Sallyport inspector`
    document.body.classList.toggle('old', state.state === 'lost')
  }
  const render = (): void => {
    const asOf = last ? ` What is shown is of ${clock(last.at)}.` : ''
    if (state.state === 'ended') say('grey', `${state.why}${asOf}`)
    else if (state.state === 'lost') say('bad', `No connection to the bus: it is tried again.${asOf}`)
    else if (state.state === 'paused') say('grey', `Paused.${asOf}`)
    else if (last) say(...healthOf(last.snapshot))
  }
  return {
    connection(connection) {
      state = connection
      if (connection.state !== 'live') render()
    },
    show(snapshot) {
      last = { snapshot, at: Date.now() }
      const { core, open, uptime, since } = snapshot
      setText(
        facts,
        `up ${duration(uptime)} · ${open} ${open === 1 ? 'frontend' : 'frontends'} · core was ${times(core.restarts)}`,
      )
      for (const element of document.querySelectorAll('.since')) setText(element, `since ${clock(since)}`)
      render()
    },
  }
}

const times = (restarts: number): string =>
  restarts === 0 ? 'never started again' : `started again ${restarts === 1 ? 'once' : `${restarts} times`}`

function healthOf({ bus, core, frontends }: Snapshot): [Tone, string] {
  if (bus === 'failed') return ['bad', 'The bus has failed: core has ended, and is not started again.']
  if (bus === 'draining') return ['grey', 'The bus is closing.']
  if (core.state !== 'running') return ['bad', `Core is ${core.state}.`]
  if (!core.answers) return ['bad', 'Core does not answer: a handler keeps it busy.']
  const unwell = frontends.filter(({ state, gate }) => state !== 'running' || (gate && gate.state !== 'running'))
  if (unwell.length > 0)
    return [
      'bad',
      `The bus is running, but for ${unwell
        .map(({ label }) => label)
        .slice(0, 5)
        .join(', ')}.`,
    ]
  return ['good', 'The bus is running.']
}
