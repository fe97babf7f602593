// Limits of a remote host: back-pressure, timeouts, rejected options, and what is left after close.
import { once } from 'node:events'
import { BusError } from '@sallyport/protocol/internal/errors'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { RemoteHostOptions } from '@sallyport/core/internal/network'
import { fixture } from '../../../../../packages/core/test/support/start.js'
import { disconnected } from '../../../../../packages/core/test/support/supervised.js'
import { rows } from '../../../../../scripts/testing.js'
import { join, noResponders, startCore } from './fake-core.js'

test('bounds the messages for a core that does not read', async () => {
  const core = await startCore()
  let release!: () => void
  const stalled = new Promise<void>(resolve => (release = resolve))
  let sent = 0
  let full = false
  const host = await join({
    async open(options) {
      const session = await core.open(options)
      const { link } = session
      const send = link.send.bind(link)
      link.send = frame => {
        sent += frame.body.length
        send(frame)
      }
      link.room = () => (full ? stalled : undefined)
      return session
    },
  })
  const client = await host.connect('tests')
  full = true
  const before = sent
  const data = new Uint8Array(2 ** 20)
  const calls = Array.from({ length: 40 }, () => client.invoke<{ length: number }>('weigh', { data }))
  // The first frame finds the link full, and only what was in flight follows it.
  await expect.poll(() => sent).toBeGreaterThan(before)
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  expect(sent - before).toBeLessThan(8 * 2 ** 20)
  full = false
  release()
  expect((await Promise.all(calls)).map(({ length }) => length)).toEqual(calls.map(() => 2 ** 20))
})

test('closes the session of a frontend that closes while core does not read', async () => {
  const core = await startCore()
  let full = false
  const host = await join({
    async open(options) {
      const session = await core.open(options)
      session.link.room = () => (full ? new Promise(() => {}) : undefined)
      return session
    },
  })
  const client = await host.connect('tests')
  full = true
  const data = new Uint8Array(2 ** 20)
  const calls = Array.from({ length: 40 }, () =>
    client.invoke('weigh', { data }).catch((error: BusError) => error.reason),
  )
  await expect.poll(() => core.sessions[0]!.bodies.length).toBeGreaterThan(0)
  await host.close({ timeout: 1 })
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['Disconnected']))
  await expect.poll(() => core.reports.filter(({ type }) => type === 'closed')).toHaveLength(1)
})

test('aborts dialing when the host closes, and closes a session that opens too late', async () => {
  const core = await startCore()
  let dialed!: AbortSignal
  const host = await join({
    async open(options) {
      dialed = options.signal
      await once(dialed, 'abort')
      return core.open(options)
    },
  })
  const connecting = host.connect('tests')
  connecting.catch(() => {})
  await expect.poll(() => dialed).toBeDefined()
  await host.close()
  expect(dialed.aborted).toBe(true)
  await expect(connecting).rejects.toMatchObject(disconnected('no'))
  await expect.poll(() => core.reports.filter(({ type }) => type === 'closed')).toHaveLength(1)
  await expect(host.connect('tests')).rejects.toMatchObject(disconnected('no'))
})

test('rejects a frontend whose first link takes too long, with the latest cause', async () => {
  const core = await startCore()
  core.rejection = noResponders()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const host = await join(core, {}, 30_000)
  const late = host.connect('tests')
  late.catch(() => {})
  await expect.poll(() => core.attempts).toBeGreaterThan(1)
  vi.advanceTimersByTime(30_000)
  await expect(late).rejects.toMatchObject({
    ...disconnected('no'),
    message: 'core did not answer "tests" within 30000 ms: no responders',
    cause: core.rejection,
  })
  const before = core.attempts
  core.rejection = undefined
  const client = await host.connect('tests')
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  expect(core.attempts).toBe(before + 1)
  // Later links have no deadline.
  core.rejection = noResponders()
  core.sessions.at(-1)!.link.close()
  await expect.poll(() => core.attempts).toBeGreaterThan(before + 3)
  vi.advanceTimersByTime(30_000)
  core.rejection = undefined
  await expect.poll(() => client.invoke('add', { a: 1, b: 2 }).catch(() => 0)).toBe(3)
  await host.close()
})

test('names each wrong option', () =>
  rows([
    [{ core: fixture('core.mjs') }, 'joinBus: core belongs to core'],
    [{ capabilities: [] }, 'joinBus: capabilities belongs to core. Pass it to createBus'],
    [{ calls: { quotas: [] } }, 'joinBus: calls.quotas belongs to core'],
    [{ workers: { core: () => {} } }, 'joinBus: workers.core belongs to core'],
    [{ frontend: {} }, 'joinBus: unknown option "frontend" (did you mean "frontends"?)'],
    [{ frontends: { core: fixture('main.mjs') } }, 'joinBus: frontends.core must be a label other than'],
    [{ frontends: { main: fixture('nothing.mjs') } }, 'joinBus: frontends.main: there is no file'],
    [{ calls: { timeout: 1 } }, 'joinBus: calls.timeout belongs to core'],
    [{ calls: { commandTimeout: 'soon' } }, 'joinBus: calls.commandTimeout must be whole milliseconds'],
  ])(async (options, text) => {
    const core = await startCore()
    await expect(join(core, options as RemoteHostOptions)).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining(text),
    })
  }))

test('names the method in errors about wrong arguments', async () => {
  const host = await join(await startCore())
  const client = await host.connect('tests')
  await expect(host.connect('host')).rejects.toThrow('joined.connect: its label must be a label other than')
  await expect(host.connect('tests')).rejects.toThrow('Frontend "tests" already exists')
  await expect(host.reload('test')).rejects.toThrow('There is no frontend "test" (did you mean "tests"?)')
  await expect(host.closeFrontend('no')).rejects.toThrow('There is no frontend "no"')
  expect(() => host.on('denied' as 'fault', () => {})).toThrow('joined.on: no event "denied"')
  await expect(host.close({ timeout: -1 })).rejects.toThrow('joined.close: timeout must be milliseconds')
  await client.close()
})
