// Code of `bus.run` that never ends, or takes all memory: it ends with the reason, and the bus goes on.
import { describe, expect, test } from 'vitest'
import { next, reuseBus } from '../../support/start.js'

const getBus = reuseBus({ log: false })

describe.each([
  ['quickjs', { kind: 'quickjs', time: 5000 }],
  ['permission', 'permission'],
  ['process', 'process'],
  ['quickjs in a process', { kind: 'quickjs', process: true, time: 5000 }],
] as const)('sandbox: %s', (_, sandbox) => {
  test('an endless loop ends with its timeout, not with the heartbeat', async () => {
    const bus = await getBus()
    await expect(bus.run('for (;;);', { sandbox, timeout: 1500 })).rejects.toMatchObject({ reason: 'Timeout' })
    expect((await bus.stats()).frontends).toEqual({})
  })

  test('an endless loop ends with its signal', async () => {
    const bus = await getBus()
    const controller = new AbortController()
    const started = next(bus, 'started')
    // The event has arrived when the call has returned.
    const source = 'emit("started"); await invoke("add", args); for (;;);'
    const options = { sandbox, args: { a: 1, b: 2 }, allow: ['add'], signal: controller.signal }
    const failed = bus.run(source, options).then(String, (error: unknown) => error)
    await started
    controller.abort()
    expect(await failed).toMatchObject({ reason: 'Cancelled' })
    expect((await bus.stats()).frontends).toEqual({})
  })

  test('code that takes more memory than it may ends', async () => {
    const bus = await getBus()
    const source = 'const kept = []; for (;;) kept.push(new Array(1e4).fill({}))'
    await expect(bus.run(source, { sandbox, memory: 64, timeout: 60_000 })).rejects.toMatchObject({
      reason: 'Crashed',
      message: expect.stringMatching(/ ran out of memory/) as string,
    })
    expect(await bus.run('return 1', { sandbox })).toBe(1)
  })
})
