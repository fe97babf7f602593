// The pictures of the state machines: where the chosen worker is in them, and what can come next.
import { byId, setAttribute, setOptions, setText } from './dom.js'
import type { Snapshot } from './follow.js'
import type { Part } from './part.js'

interface Worker {
  /** As the host sees it. */
  state: string
  /** As it says itself. */
  life?: string | undefined
}

const NO_WORKER = 'It is a connection of the host’s own: there is no worker.'

export function createMachines(): Part {
  const select = byId('actor', HTMLSelectElement)
  const counts = byId('counts', HTMLElement)
  const [bus, thread, life] = [machine('bus'), machine('thread'), machine('life')]
  let last: Snapshot | undefined
  const mark = (): void => {
    if (!last) return
    const worker = workerOf(last, select.value)
    bus.mark('The bus', last.bus, '')
    thread.mark(select.value, worker?.state, NO_WORKER)
    life.mark(select.value, worker?.life, worker ? 'It says nothing of itself now.' : NO_WORKER)
  }
  select.addEventListener('change', mark)
  return {
    show(snapshot) {
      last = snapshot
      const names = snapshot.frontends.flatMap(({ label, gate }) => [label, ...(gate ? [gateOf(label)] : [])])
      setOptions(select, ['core', ...names.toSorted()])
      const states = Object.entries(snapshot.states).map(([state, many]) => `${many} ${state}`)
      setText(counts, `Workers: ${states.join(', ') || 'none'}`)
      mark()
    },
  }
}

/** No label has a space in it. */
const gateOf = (label: string): string => `gate of ${label}`

function workerOf({ core, frontends }: Snapshot, name: string): Worker | undefined {
  if (name === 'core') return core
  const label = name.slice(name.lastIndexOf(' ') + 1)
  const found = frontends.find(frontend => frontend.label === label)
  return name === label ? (found?.isWorker ? found : undefined) : found?.gate
}

function machine(id: string): { mark(name: string, state: string | undefined, none: string): void } {
  const figure = byId(`machine-${id}`, HTMLElement)
  const [picture, caption] = [figure.querySelector('svg')!, figure.querySelector('figcaption')!]
  const title = figure.querySelector('h3')!.textContent
  return {
    mark(name, state, none) {
      for (const node of picture.querySelectorAll('.state')) {
        setAttribute(
          node,
          'class',
          node.getAttribute('class')!.replace(/ here$/, '') +
            (node.getAttribute('data-state') === state ? ' here' : ''),
        )
      }
      const next = [...picture.querySelectorAll('.step')].filter(step => {
        const isNext = step.getAttribute('data-from') === state
        setAttribute(step, 'class', isNext ? 'step next' : 'step')
        return isNext
      })
      const ways = next.map(step => `${step.getAttribute('data-to')} (${step.getAttribute('data-on')})`)
      const text = state === undefined ? none : `${name} is ${state}. Next: ${ways.join(', ') || 'nothing'}.`
      setText(caption, text)
      setAttribute(picture, 'aria-label', `${title}. ${text}`)
    },
  }
}
