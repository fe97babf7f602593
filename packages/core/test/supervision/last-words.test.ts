// The cause of a crash, over real processes. All orders in which the host can hear of an end: ends-in-any-order.test.ts.
import { expect, test } from 'vitest'
import type { Bus } from '../../src/index.js'
import { start } from '../support/start.js'
import { at } from '../support/supervised.js'

const crash = at('setTimeout(() => { throw new TypeError("the real cause") }, 50)')

function watchFirstFaults(bus: Bus): Map<string, string> {
  const faults = new Map<string, string>()
  bus.on('fault', ({ label, error }) => void (faults.has(label) || faults.set(label, error.message)))
  return faults
}

test('the first crash of each of many processes has its own error as the cause', async () => {
  const bus = await start()
  const faults = watchFirstFaults(bus)
  const labels = Array.from({ length: 8 }, (_, index) => `p${index}`)
  const options = {
    sandbox: { kind: 'process', wall: 'none' },
    supervision: { restart: 'temporary' },
    loaded: false,
  } as const
  await Promise.all(labels.map(label => bus.open(label, crash, options)))
  const expected = new Map(labels.map(label => [label, 'the real cause']))
  await expect.poll(() => faults).toEqual(expected)
})
