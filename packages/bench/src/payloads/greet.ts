// The smallest real call, as Tauri's documentation has it, and the same with the few more arguments of a usual call.
import type { Payload } from './payload.js'

const expected = 'Hello, World!'

/** `invoke('greet', { name: 'World' })`: the first call of every Tauri app. */
export const greet: Payload = {
  id: 'greet',
  title: 'greet call',
  calls: [{ command: 'greet', args: { name: 'World' }, expected }],
}

/** A call with a string, a number and a list: the payload of all figures about the call itself. */
export const usualCall: Payload = {
  id: 'usual',
  title: '{ name, n, tags[3] }',
  calls: [{ command: 'greet', args: { name: 'World', n: 1, tags: ['red', 'green', 'blue'] }, expected }],
}

/** The same, and core notes when each of them comes. */
export const clockedCall: Payload = {
  ...usualCall,
  id: 'clocked',
  calls: usualCall.calls.map(call => ({ ...call, command: 'clocked_greet' })),
}
