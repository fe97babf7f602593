import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { isInternalError } from './internal-error.js'

const error = (stack: string, message = 'why'): Error => Object.assign(new Error(message), { stack })
const entry = import.meta.resolve('#worker')

it('recognizes errors of Node', () =>
  rows([
    [
      "Node's deserializer",
      `TypeError: why
    at CrossRealmTransformReadableSource.port.onmessage (node:internal/webstreams/transfer:119:9)
    at [nodejs.internal.kHybridDispatch] (node:internal/event_target:831:20)
    at node:internal/main/worker_thread:179:7`,
    ],
    ["Sallyport's own code", `Error: why\n    at decode (${entry}:1:1)\n    at Array.map (<anonymous>)`],
    [
      "a message of several lines that look like an application's frames",
      'Error: why\n    at run (file:///app/core.js:1:1)\n    at node:internal/timers:1:1',
      'why\n    at run (file:///app/core.js:1:1)',
    ],
  ])((_name, stack, message?: string) => expect(isInternalError(error(stack, message))).toBe(true)))

it('leaves other errors to the application', () =>
  rows([
    ['the application', 'Error: why\n    at run (file:///app/core.js:1:1)\n    at node:internal/timers:1:1'],
    ['a package', 'Error: why\n    at /app/node_modules/pg/client.js:1:1\n    at emit (node:events:1:1)'],
    ['evaluated code', 'Error: why\n    at eval (eval at run (file:///app/core.js:1:1), <anonymous>:1:7)'],
    ['nothing known', 'Error: why'],
  ])((_name, stack) => expect(isInternalError(error(stack))).toBe(false)))

it('leaves what is no error to it', () =>
  rows(['text', undefined, { stack: '    at node:internal/timers:1:1' }])(thrown =>
    expect(isInternalError(thrown)).toBe(false),
  ))

it('leaves an error of the operating system to it, whose stack has only frames of Node', async () => {
  const refused = await new Promise(resolve => connect({ path: '/does/not/exist' }).once('error', resolve))
  expect(isInternalError(refused)).toBe(false)
})
