// Scripts of one group, while one of them is busy or floods.
import { expect, test } from 'vitest'
import { count, open, startBus } from '../../support/scripts.js'
import { workers } from '../../support/shared-threads.js'

const POLL = { timeout: 20_000 }

test('a script that prints without an end does not starve the others, and its lost lines are counted', async () => {
  const bus = await startBus()
  let isCounted = false
  await open(bus, ['a'], { onStdio: text => void (isCounted ||= /^Output lost: \d+ characters/m.test(text)) })
  await open(bus, ['b'])
  await bus.call('a', 'flood')
  for (let i = 1; i <= 20; i++) expect(await count(bus, 'b')).toBe(i)
  await expect.poll(() => isCounted, POLL).toBe(true)
})

test('a script that calls without an end does not starve the others', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  await bus.call('a', 'calls')
  for (let i = 1; i <= 20; i++) expect(await count(bus, 'b')).toBe(i)
})

test('a bus with a script that does not return closes', async () => {
  const bus = await startBus()
  await open(bus, ['a', 'b'])
  bus.call('a', 'spin').catch(() => {})
  await bus.close({ timeout: 0 })
  expect(workers.map(({ threadId }) => threadId)).toEqual([-1])
})
