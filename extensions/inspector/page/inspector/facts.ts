// The top of the page: the state of the bus, whether what is shown is up to date, and what needs attention.
import { create, getById, setAttribute, setText } from './dom.js'
import { clock, count, duration } from './figures.js'
import type { Connection, ShowSnapshot, Snapshot } from './follow.js'

type Tone = 'good' | 'grey' | 'bad'

const SIGNS: Record<Tone, string> = { good: '✓', grey: '–', bad: '!' }
const DOTS: Record<Tone, string> = { good: '0065a3', grey: '85888a', bad: 'd85a00' }
/** Without a snapshot for this long, the page shows their age. If core does not answer, they come every half second. */
const LATE_MS = 2500
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

function getHealth(snapshot: Snapshot): [tone: Tone, state: string] {
  const { bus, core } = snapshot
  if (bus === 'failed') return ['bad', 'The bus has failed: core has ended and will not restart.']
  if (bus === 'draining') return ['grey', 'The bus is closing.']
  if (core.state === 'backingOff') return ['bad', 'Core waits to restart.']
  if (core.state !== 'running') return ['bad', `Core is ${core.state}.`]
  if (core.blocked && core.blocked.ms > BLOCKED_MS) return ['bad', describeBlock(core.blocked)]
  const bad = countBad(snapshot)
  if (bad === 0) return ['good', 'The bus is running.']
  return ['bad', `The bus is running. ${count(bad)} ${bad === 1 ? 'needs' : 'need'} attention:`]
}

const countBad = ({ culprits, moreCulprits }: Snapshot): number =>
  culprits.reduce((sum, { isBad, total = 1 }) => sum + (isBad ? total : 0), moreCulprits)

function describeBlock({ ms, label, command }: NonNullable<Snapshot['core']['blocked']>): string {
  const culprit = label === undefined ? 'a handler blocks it' : `${command}, which ${label} called, blocks it`
  return `Core has not answered for ${duration(ms)}: ${culprit}.`
}

type Culprit = Snapshot['culprits'][number]

const COPIED_MS = 2000
/** The host makes the URLs of an editor. None of these schemes opens one. */
const NO_EDITOR = /^(?:javascript|data|vbscript|blob|https?):/i

interface Line {
  element: HTMLElement
  update(culprit: Culprit): void
}

/** Returns a function that shows what needs attention: who, what and why, and below it what to write. Lines keep their elements, and so focus. */
function createCulprits(select: (label: string) => void): (snapshot: Snapshot | undefined) => void {
  const list = getById('culprits', HTMLUListElement)
  const others = getById('others', HTMLElement)
  let lines = new Map<string, Line>()
  return snapshot => {
    const { culprits = [], moreCulprits = 0 } = snapshot ?? {}
    const next = new Map<string, Line>()
    culprits.forEach((culprit, i) => {
      const line = lines.get(culprit.label) ?? createLine(select)
      next.set(culprit.label, line)
      line.update(culprit)
      if (list.children[i] !== line.element) list.insertBefore(line.element, list.children[i] ?? null)
    })
    while (list.children.length > culprits.length) list.lastElementChild!.remove()
    lines = next
    list.hidden = culprits.length === 0
    setText(others, `${count(moreCulprits)} others are in the table of frontends`)
    others.hidden = moreCulprits === 0
  }
}

function createLine(select: (label: string) => void): Line {
  const [who, text, labels] = [create('span', { class: 'who' }), create('span'), create('span', { dir: 'auto' })]
  const cure = createCure()
  const element = create('li', { dir: 'auto' }, create('p', {}, who, text, labels), cure.element)
  let shownLabels = ''
  const createLink = (label: string): HTMLElement => {
    const button = create('button', { type: 'button', class: 'link' }, label)
    button.addEventListener('click', () => select(label))
    return button
  }
  return {
    element,
    update(culprit) {
      const { label, labels: all = [], total = 1 } = culprit
      const key = JSON.stringify([label, all, total])
      if (key !== shownLabels) {
        const links = all.flatMap((each, i) => [i === 0 ? ': ' : ', ', createLink(each)])
        who.replaceChildren(all.length > 0 ? `${count(total)} frontends` : createLink(label))
        labels.replaceChildren(
          ...links,
          ...(total > all.length && all.length > 0 ? [` and ${count(total - all.length)} more`] : []),
        )
      }
      shownLabels = key
      setText(text, ` ${culprit.text}`)
      setAttribute(element, 'class', culprit.isBad ? 'bad' : 'soft')
      cure.update(culprit)
    },
  }
}

function createCure(): Line {
  const [text, code] = [create('span'), create('code')]
  const copy = create('button', { type: 'button', class: 'small' }, 'Copy')
  const link = create('a', { class: 'small' }, 'Open in editor')
  const element = create('p', { class: 'cure' }, text, ' ', code, ' ', copy, ' ', link)
  copy.addEventListener('click', () => {
    void navigator.clipboard.writeText(code.textContent).then(
      () => setText(copy, 'Copied'),
      () => setText(copy, 'Not copied'),
    )
    setTimeout(() => setText(copy, 'Copy'), COPIED_MS)
  })
  return {
    element,
    update({ cure, editor = '' }) {
      setText(text, cure ? `→ ${cure.text}` : '')
      setText(code, cure?.code ?? '')
      code.hidden = copy.hidden = !cure
      setAttribute(copy, 'aria-label', `Copy ${cure?.code ?? ''}`)
      link.hidden = editor === '' || NO_EDITOR.test(editor)
      if (link.hidden) link.removeAttribute('href')
      else setAttribute(link, 'href', editor)
      element.hidden = !cure && link.hidden
    },
  }
}
