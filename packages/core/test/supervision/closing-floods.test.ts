// The close of a frontend that has sent far more than core has served: nothing of that starts later.
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { FrontendOptions } from '../../src/index.js'
import { fixture, start } from '../support/start.js'

const POLL = { timeout: 90_000, interval: 50 }

test.each([
  ['none', 'calls'],
  ['none', 'streams'],
  ['permission', 'calls'],
  ['process', 'calls'],
  ['process', 'streams'],
])(
  'closeFrontend ends what the frontend has queued: sandbox %s, %s',
  async (sandbox, behaviour) => {
    const bus = await start({ core: fixture('supervision/flooded-core.mjs') })
    const faults: string[] = []
    bus.on('fault', ({ error }) => void faults.push(error.message))
    const judge = await bus.connect('judge', { allow: '*' })
    const getCounts = () => judge.invoke<{ started: number; open: number }>('counts')
    const config = { allow: '*', sandbox, data: { behaviour } } as FrontendOptions
    await bus.open('bad', fixture('supervision/flooding.mjs'), config)
    await expect.poll(async () => (await getCounts()).started, POLL).toBeGreaterThan(100)
    // The relay of a process, too, ends while core serves what the process has sent.
    if (behaviour === 'streams') await expect.poll(async () => (await getCounts()).started, POLL).toBeGreaterThan(700)

    const startedAt = performance.now()
    await bus.closeFrontend('bad')
    // The rest would take 15 s of core's time.
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await expect.poll(async () => (await getCounts()).open, POLL).toBe(0)
    const { started } = await getCounts()
    await delay(300)
    expect(await getCounts()).toEqual({ started, open: 0 })
    expect(faults).toEqual([])
  },
  240_000,
)
