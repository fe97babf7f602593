// Draws a state machine as a Mermaid diagram, from its own definition. What leads out of a state with states in it, or into
// it, stands at the end: Mermaid takes a state for part of whatever it is named in first.

/** @param {{ root: any }} machine of xstate */
export function toMermaid({ root }) {
  const across = []
  return ['stateDiagram-v2', ...draw(root, '  ', across), ...across].join('\n')
}

function draw(node, indent, across) {
  const states = Object.values(node.states)
  const lines = [`${indent}[*] --> ${node.initial.target[0].key}`]
  for (const state of states) {
    if (Object.keys(state.states).length === 0) continue
    lines.push(`${indent}state ${state.key} {`, ...draw(state, `${indent}  `, across), `${indent}}`)
  }
  for (const state of states) {
    for (const { to, label } of edgesOf(state)) {
      const edge = `${state.key} --> ${to.key}${label && `: ${label}`}`
      if (to.parent === node) lines.push(indent + edge)
      else across.push(`  ${edge}`)
    }
    if (state.type === 'final') lines.push(`${indent}${state.key} --> [*]`)
  }
  return lines
}

function edgesOf(state) {
  const named = [...state.transitions, ['', state.always ?? []]]
  return named.flatMap(([event, transitions]) =>
    transitions
      .filter(({ target }) => target?.length > 0)
      .map(({ target, guard }) => ({
        to: target[0],
        label: [nameOf(event), guard && `[${guard.type ?? guard}]`].filter(Boolean).join(' '),
      })),
  )
}

/** `xstate.after.backOff.thread.backingOff` is a delay, `xstate.done.actor.…` the end of what was invoked. */
function nameOf(event) {
  const [, kind, delay] = /^xstate\.(after|done|error)\.([^.]*)/.exec(event) ?? []
  return kind === 'after' ? `after ${delay}` : (kind ?? event)
}
