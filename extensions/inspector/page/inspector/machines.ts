// Marks the current states of the selected worker in the state machines, and the transitions from them.
import { chooseOption, getById, setAttribute, setOptions, setText } from './dom.js'
import type { ShowSnapshot, Snapshot } from './follow.js'

type Worker = Pick<Snapshot['core'], 'state'>

const NO_WORKER = 'It is a connection of the host: there is no worker.'

export function createMachines(): ShowSnapshot {
  const select = getById('actor', HTMLSelectElement)
  const counts = getById('counts', HTMLElement)
  const [markBus, markWorker] = [createMarker('bus'), createMarker('worker')]
  let last: Snapshot | undefined
  let followed: string | undefined
  const mark = (): void => {
    if (!last) return
    markBus('The bus', last.bus)
    markWorker(select.value, getWorker(last, select.value)?.state)
  }
  select.addEventListener('change', mark)
  return snapshot => {
    last = snapshot
    const names = snapshot.frontends.flatMap(({ label, gate }) => [label, ...(gate ? [getGateName(label)] : [])])
    setOptions(select, ['core', ...names.toSorted()])
    if (snapshot.selected !== followed && snapshot.selected !== undefined) chooseOption(select, snapshot.selected)
    followed = snapshot.selected
    const states = Object.entries(snapshot.states).map(([state, workers]) => `${workers} ${state}`)
    setText(counts, `Workers: ${states.join(', ') || 'none'}`)
    mark()
  }
}

/** Labels have no spaces. */
const getGateName = (label: string): string => `gate of ${label}`

function getWorker({ core, frontends }: Snapshot, name: string): Worker | undefined {
  if (name === 'core') return core
  const label = name.slice(name.lastIndexOf(' ') + 1)
  const frontend = frontends.find(each => each.label === label)
  if (name !== label) return frontend?.gate
  return frontend?.isWorker ? frontend : undefined
}

/** States of workers that the machine has under one name. */
const NODES: Readonly<Record<string, string>> = { leaving: 'ending', reloading: 'ending', draining: 'ending' }

type Marker = (name: string, state: string | undefined) => void

function createMarker(id: string): Marker {
  const figure = getById(`machine-${id}`, HTMLElement)
  const [picture, caption] = [figure.querySelector('svg')!, figure.querySelector('figcaption')!]
  const title = figure.querySelector('h3')!.textContent
  return (name, state) => {
    const current = (id === 'worker' && NODES[state ?? '']) || state
    for (const node of picture.querySelectorAll('.state')) {
      const isCurrent = node.getAttribute('data-state') === current
      const kind = node.getAttribute('class')!.replace(/ current$/, '')
      setAttribute(node, 'class', isCurrent ? `${kind} current` : kind)
    }
    const next: string[] = []
    for (const edge of picture.querySelectorAll('.edge')) {
      const isNext = edge.getAttribute('data-from') === current
      setAttribute(edge, 'class', isNext ? 'edge next' : 'edge')
      if (isNext) next.push(`${edge.getAttribute('data-to')} (${edge.getAttribute('data-on')})`)
    }
    const text = state === undefined ? NO_WORKER : `${name} is ${state}. Next: ${next.join(', ') || 'nothing'}.`
    setText(caption, text)
    setAttribute(picture, 'aria-label', `${title}. ${text}`)
  }
}
