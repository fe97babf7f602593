// The smallest real call, as Tauri's documentation has it, and the same with the few more arguments of a usual call.
import { FAILURE } from '../workers/handlers.js'
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

/** The same with a handler that asks whether its scope has this name. */
export const scopedCall: Payload = {
  ...usualCall,
  id: 'scoped',
  calls: usualCall.calls.map(call => ({ ...call, command: 'scoped_greet' })),
}

/** The same with a handler that writes a line of the log at level debug, and one at info. */
export const loggedCall: Payload = {
  ...usualCall,
  id: 'logged',
  calls: usualCall.calls.map(call => ({ ...call, command: 'logged_greet' })),
}

/** A call whose handler throws. */
export const failingCall: Payload = {
  id: 'failing',
  title: 'a call that fails',
  calls: usualCall.calls.map(({ args }) => ({ command: 'fail', args, expected: FAILURE, fails: true })),
}

/** A call that takes core's thread for 20 µs, so that it is core that can do no more. */
export const workingCall: Payload = {
  id: 'working',
  title: '20 µs of work',
  calls: [{ command: 'work', args: { us: 20 }, expected: 'done' }],
}
