// The close of a frontend whose code computes at that moment.
import { describe, expect, test } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import type { Bus } from '../../../src/index.js'
import { fixture, next, start } from '../../support/start.js'
import { collectWorkers, workers } from '../../support/shared-threads.js'

/** Longer than the test may take. */
const FOREVER = 600_000

describe.each(choose(['none', 'permission', 'process'] as const))('sandbox %s', sandbox => {
  async function openBusy(ms: number): Promise<{ bus: Bus; getOutput(): string }> {
    let output = ''
    const bus = await start()
    const onStdio = (text: string): void => void (output += text)
    await bus.open('main', fixture('supervision/busy.mjs'), { sandbox, allow: '*', onStdio })
    const computing = next(bus, 'computing')
    bus.call('main', 'compute', { ms }).catch(() => {})
    await computing
    return { bus, getOutput: () => output }
  }

  test('code that runs on is ended without its exit handlers, and the label is free', async () => {
    const { bus, getOutput } = await openBusy(FOREVER)
    await bus.closeFrontend('main')
    expect(bus.frontends()).toEqual([])
    expect(getOutput()).not.toContain('exit handler')
    await bus.open('main', fixture('supervision/busy.mjs'), { sandbox, allow: '*' })
  })

  test('`timeout` gives it the time to end by itself', async () => {
    const { bus, getOutput } = await openBusy(700)
    await bus.closeFrontend('main', { timeout: FOREVER })
    expect(getOutput()).toContain('exit handler')
  })
})

// Before, V8 does not always stop such a loop: docs/reference/security.md.
test.runIf(Number.parseInt(process.versions.node) >= 24)('a loop that only allocates is ended, too', async () => {
  collectWorkers()
  const bus = await start()
  const source = `
    import { emit, expose } from '@sallyport/frontend'
    expose({ async loop() {
      await emit('computing')
      for (;;) new Array(1000)
    } })`
  await bus.open('main', { source, name: 'main.js' }, { allow: '*' })
  const computing = next(bus, 'computing')
  bus.call('main', 'loop').catch(() => {})
  await computing
  const running = workers.filter(({ threadId }) => threadId !== -1)
  await bus.closeFrontend('main')
  await expect.poll(() => running.filter(({ threadId }) => threadId === -1)).not.toEqual([])
  expect(bus.frontends()).toEqual([])
})

test('refuses another `timeout` than milliseconds', async () => {
  const bus = await start()
  for (const timeout of [-1, NaN, Infinity, '1' as never]) {
    await expect(bus.closeFrontend('main', { timeout })).rejects.toMatchObject({ reason: 'InvalidParams' })
  }
})
