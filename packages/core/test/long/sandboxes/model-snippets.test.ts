// Code of the kind that models write: QuickJS refuses none that V8 accepts, and its results are those of V8.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fixture, reuseBus } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const AsyncFunction = (async () => {}).constructor as new (...texts: string[]) => (args: unknown) => Promise<unknown>
const getBus = reuseBus()

const snippets = readFileSync(fixture('sandboxes/model-snippets.txt'), 'utf8')
  .split(/^=== /m)
  .slice(1)
  .map(text => [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n') + 1)] as const)

/** Node 20 has an older V8. */
const isAccepted = (code: string): boolean => {
  try {
    void new AsyncFunction('args', `'use strict';${code}`)
    return true
  } catch {
    return false
  }
}

test('QuickJS has the result of V8 for a hundred snippets', async () => {
  expect(snippets.length).toBeGreaterThanOrEqual(100)
  expect(new Set(snippets.map(([name]) => name)).size).toBe(snippets.length)
  const bus = await getBus()
  await rows(snippets.filter(([, code]) => isAccepted(code)))(async (_name, code) => {
    const expected = await new AsyncFunction('args', `'use strict';${code}`)({})
    // As JSON has it: it is the codec of the bus.
    expect(await bus.run(code, { sandbox: 'quickjs', timeout: 60_000 })).toEqual(JSON.parse(JSON.stringify(expected)))
  })
})
