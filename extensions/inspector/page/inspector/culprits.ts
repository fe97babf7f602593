// The lines of what needs attention: who, what and why, and below it what to do. Lines keep their elements, and so focus.
import { create, getById, setAttribute, setText } from './dom.js'
import type { Snapshot } from './follow.js'
import { count } from './figures.js'

type Culprit = Snapshot['culprits'][number]

/** Labels of a line that are shown at first. */
const MAX_LABELS = 5
const COPIED_MS = 2000
/** Lines that are shown at first. */
const MAX_LINES = 6
/** The host makes the URLs of an editor. None of these schemes opens one. */
const NO_EDITOR = /^(?:javascript|data|vbscript|blob|https?):/i

interface Line {
  element: HTMLElement
  update(culprit: Culprit): void
}

/** Returns a function that shows the lines. @param select - called with the label of a frontend that was clicked */
export function createCulprits(select: (label: string) => void): (snapshot: Snapshot | undefined) => void {
  const list = getById('culprits', HTMLUListElement)
  const others = getById('others', HTMLElement)
  const more = create('button', { type: 'button', class: 'link', 'aria-expanded': 'false' })
  const rest = create('span')
  others.append(more, rest)
  let lines = new Map<string, Line>()
  let last: Snapshot | undefined
  const isOpen = (): boolean => more.getAttribute('aria-expanded') === 'true'
  const show = (snapshot: Snapshot | undefined): void => {
    last = snapshot
    const { culprits: all = [], moreCulprits = 0 } = snapshot ?? {}
    const culprits = isOpen() ? all : all.slice(0, MAX_LINES)
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
    const hidden = all.slice(MAX_LINES).reduce((sum, { total = 1 }) => sum + total, 0)
    more.hidden = hidden === 0
    setText(more, isOpen() ? 'Show fewer' : `Show ${count(hidden)} more`)
    setText(rest, moreCulprits > 0 ? ` ${count(moreCulprits)} others are in the table of frontends` : '')
    others.hidden = hidden === 0 && moreCulprits === 0
  }
  more.addEventListener('click', () => {
    setAttribute(more, 'aria-expanded', String(!isOpen()))
    show(last)
  })
  return show
}

function createLine(select: (label: string) => void): Line {
  const [who, text, labels] = [create('span', { class: 'who' }), create('span'), create('span', { dir: 'auto' })]
  const more = create('button', { type: 'button', class: 'link', 'aria-expanded': 'false' })
  const cure = createCure()
  const element = create('li', { dir: 'auto' }, create('p', {}, who, text, labels), cure.element)
  let shown: Culprit | undefined
  let shownLabels = ''
  const createLink = (label: string): HTMLElement => {
    const button = create('button', { type: 'button', class: 'link' }, label)
    button.addEventListener('click', () => select(label))
    return button
  }
  const showLabels = ({ label, labels: all = [], total = 1 }: Culprit): void => {
    const isOpen = more.getAttribute('aria-expanded') === 'true'
    const key = JSON.stringify([label, all, total, isOpen])
    if (key === shownLabels) return
    const hadFocus = document.activeElement === more
    shownLabels = key
    who.replaceChildren(all.length > 0 ? `${count(total)} frontends` : createLink(label))
    const some = isOpen ? all : all.slice(0, MAX_LABELS)
    const links = some.flatMap((each, i) => [i === 0 ? ': ' : ', ', createLink(each)])
    setText(more, isOpen ? 'fewer' : `${count(total - some.length)} more`)
    labels.replaceChildren(...links, ...(all.length > MAX_LABELS ? [isOpen ? ' ' : ' and ', more] : []))
    if (hadFocus) more.focus()
  }
  more.addEventListener('click', () => {
    setAttribute(more, 'aria-expanded', String(more.getAttribute('aria-expanded') !== 'true'))
    if (shown) showLabels(shown)
  })
  return {
    element,
    update(culprit) {
      shown = culprit
      showLabels(culprit)
      setText(text, ` ${culprit.text}`)
      setAttribute(element, 'class', culprit.isBad ? 'bad' : 'soft')
      cure.update(culprit)
    },
  }
}

/** The remedy, with code to copy, the stack, and a link into the editor. */
function createCure(): Line {
  const [text, code] = [create('span'), create('code')]
  const copy = create('button', { type: 'button', class: 'small' }, 'Copy')
  const toggle = create('button', { type: 'button', class: 'small', 'aria-expanded': 'false' }, 'Stack')
  const link = create('a', { class: 'small' }, 'Open in editor')
  const stack = create('pre')
  const line = create('p', {}, text, ' ', code, ' ', copy, ' ', toggle, ' ', link)
  const element = create('div', { class: 'cure' }, line, stack)
  stack.hidden = true
  copy.addEventListener('click', () => {
    void navigator.clipboard.writeText(code.textContent).then(
      () => setText(copy, 'Copied'),
      () => setText(copy, 'Not copied'),
    )
    setTimeout(() => setText(copy, 'Copy'), COPIED_MS)
  })
  toggle.addEventListener('click', () => {
    stack.hidden = !stack.hidden
    setAttribute(toggle, 'aria-expanded', String(!stack.hidden))
  })
  return {
    element,
    update({ label, cure, stack: frames = '', editor = '' }) {
      setText(text, cure ? `→ ${cure.text}` : '')
      setText(code, cure?.code ?? '')
      code.hidden = copy.hidden = cure?.code === undefined
      setAttribute(copy, 'aria-label', `Copy ${cure?.code ?? ''}`)
      setText(stack, frames)
      toggle.hidden = frames === ''
      if (frames === '') stack.hidden = true
      setAttribute(toggle, 'aria-label', `Stack of ${label}`)
      link.hidden = editor === '' || NO_EDITOR.test(editor)
      if (link.hidden) link.removeAttribute('href')
      else setAttribute(link, 'href', editor)
      element.hidden = !cure && frames === '' && link.hidden
    },
  }
}
