// The graph of a state machine: its states, and the transitions that lead from one to another.
import type { Machine, MachineState, MachineTransition } from '../contract/inspected-bus.js'

export interface StateGraph {
  states: readonly { key: string; type: string }[]
  edges: readonly Edge[]
}

export interface Edge {
  from: string
  to: string
  events: string[]
}

/** Returns the graph of a state machine of xstate. A transition of an outer state is one of each inner state that has none for the same event. */
export function fromMachine({ root }: Machine): StateGraph {
  const states = getLeaves(root)
  const edges = new EdgeMap()
  for (const leaf of states) {
    const known = new Set<string>()
    // Transitions of the whole machine are omitted: they lead from every state, and would hide the others.
    for (let node: MachineState | undefined = leaf; node?.parent; node = node.parent) {
      for (const [event, targets] of getTransitions(node)) {
        if (known.has(event)) continue
        known.add(event)
        for (const target of targets) edges.add(leaf.key, getInitialLeaf(target).key, toEventName(event))
      }
    }
  }
  return { states, edges: edges.all }
}

/** Transitions between the same two states are one edge. */
class EdgeMap {
  readonly #edges = new Map<string, Edge>()

  get all(): readonly Edge[] {
    return [...this.#edges.values()]
  }

  add(from: string, to: string, event: string): void {
    if (from === to) return
    const edge = this.#edges.get(`${from} ${to}`)
    if (!edge) this.#edges.set(`${from} ${to}`, { from, to, events: [event] })
    else if (!edge.events.includes(event)) edge.events.push(event)
  }
}

/** Returns the innermost states: an actor is always in one of them. */
const getLeaves = (node: MachineState): MachineState[] =>
  Object.values(node.states).flatMap(state => (Object.keys(state.states).length > 0 ? getLeaves(state) : [state]))

const getInitialLeaf = (node: MachineState): MachineState =>
  Object.keys(node.states).length > 0 ? getInitialLeaf(node.initial.target[0] as MachineState) : node

const getTransitions = (node: MachineState): [string, MachineState[]][] => {
  const immediate: readonly MachineTransition[] = node.always ?? []
  return [...node.transitions, ['', immediate] as const].map(([event, transitions]) => [
    event,
    transitions.flatMap(({ target }) => (target?.[0] ? [target[0] as MachineState] : [])),
  ])
}

/** Shortens `xstate.after.backOff.worker.backingOff` and `xstate.done.actor.…`. A transition without an event is immediate. */
function toEventName(event: string): string {
  const [, kind, delay] = /^xstate\.(after|done|error)\.([^.]*)/.exec(event) ?? []
  if (kind === 'after') return `after ${delay}`
  return kind ?? (event === '' ? 'immediately' : event)
}
