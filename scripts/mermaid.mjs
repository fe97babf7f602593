// Draws an xstate machine as a Mermaid diagram. Transitions that cross the border of a nested state come last, because Mermaid counts a
// state as part of the block that names it first.

/** @param {{ root: any }} machine - an xstate machine */
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
    for (const { to, label } of getEdges(state)) {
      const edge = `${state.key} --> ${to.key}${label && `: ${label}`}`
      if (to.parent === node) lines.push(indent + edge)
      else across.push(`  ${edge}`)
    }
    if (state.type === 'final') lines.push(`${indent}${state.key} --> [*]`)
  }
  return lines
}

function getEdges(state) {
  const named = [...state.transitions, ['', state.always ?? []]]
  return named.flatMap(([event, transitions]) =>
    transitions
      .filter(({ target }) => target?.length > 0)
      .map(({ target, guard }) => ({
        to: target[0],
        label: [describeEvent(event), guard && `[${guard.type ?? guard}]`].filter(Boolean).join(' '),
      })),
  )
}

/** Shortens xstate's own events: `xstate.after.backOff.worker.backingOff` is a delay, `xstate.done.actor.…` the end of an invoked actor. */
function describeEvent(event) {
  const [, kind, delay] = /^xstate\.(after|done|error)\.([^.]*)/.exec(event) ?? []
  return kind === 'after' ? `after ${delay}` : (kind ?? event)
}
