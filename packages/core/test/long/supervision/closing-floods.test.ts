// The close of a frontend that has sent far more than core has served: nothing of that starts later.
import { expect, test } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import type { FrontendOptions } from '../../../src/index.js'
import { fixture, start } from '../../support/start.js'

const ways = choose(
  [
    ['none', 'calls'],
    ['none', 'streams'],
    ['permission', 'calls'],
    ['process', 'calls'],
    ['process', 'streams'],
  ] as const,
  0,
  -1,
)

test.each(ways)('closeFrontend ends what the frontend has queued: sandbox %s, %s', async (sandbox, behaviour) => {
  const bus = await start({ core: fixture('supervision/flooded-core.mjs') })
  const faults: unknown[] = []
  bus.on('fault', ({ error }) => void faults.push(error))
  const judge = await bus.connect('judge', { allow: '*' })
  const getCounts = () => judge.invoke<{ started: number; open: number }>('counts')
  const config = { allow: '*', sandbox, data: { behaviour } } as FrontendOptions
  await bus.open('bad', fixture('supervision/flooding.mjs'), config)
  // The relay of a process, too, ends while core serves what the process has sent.
  await expect.poll(async () => (await getCounts()).started).toBeGreaterThan(100)

  await bus.closeFrontend('bad')
  await expect.poll(async () => (await getCounts()).open).toBe(0)
  const { started } = await getCounts()
  // It has sent 15,000 calls, or streams without an end.
  if (behaviour === 'calls') expect(started).toBeLessThan(15_000)
  for (let i = 0; i < 50; i++) expect(await getCounts()).toEqual({ started, open: 0 })
  // If core had not taken all of it when the time was over, the host learns of that once.
  const unsent = expect.objectContaining({ reason: 'Timeout', data: { unsent: 'unknown' } }) as unknown
  expect([[], [unsent]]).toContainEqual(faults)
})
