// What a process without core holds back, gives up and leaves behind.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { BusError } from '@sallyport/protocol'
import { expect, test } from 'vitest'
import { assemble } from '../../src/remote/remote-host.js'
import type { RemoteHostOptions } from '../../src/network.js'
import { fixture } from '../start.js'
import { gone } from '../supervised.js'
import { join, nobody, startFar } from './joined.js'

test('a core that takes nothing holds its callers back: what waits is bounded', async () => {
  const far = await startFar()
  let release!: () => void
  const stalled = new Promise<void>(resolve => (release = resolve))
  let sent = 0
  let full = false
  const joined = await join({
    async open(options) {
      const session = await far.open(options)
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
  const client = await joined.connect('tests')
  full = true
  const before = sent
  const data = new Uint8Array(2 ** 20)
  const calls = Array.from({ length: 40 }, () => client.invoke<{ length: number }>('weigh', { data }))
  // The first frame finds that there is no room, and only what had been on its way comes after it.
  await expect.poll(() => sent).toBeGreaterThan(before)
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(sent - before).toBeLessThan(8 * 2 ** 20)
  full = false
  release()
  expect((await Promise.all(calls)).map(({ length }) => length)).toEqual(calls.map(() => 2 ** 20))
})

test('a frontend that goes while core takes nothing leaves no session', async () => {
  const far = await startFar()
  let full = false
  const joined = await join({
    async open(options) {
      const session = await far.open(options)
      session.link.room = () => (full ? new Promise(() => {}) : undefined)
      return session
    },
  })
  const client = await joined.connect('tests')
  full = true
  const data = new Uint8Array(2 ** 20)
  const calls = Array.from({ length: 40 }, () =>
    client.invoke('weigh', { data }).catch((error: BusError) => error.reason),
  )
  await expect.poll(() => far.sessions[0]!.bodies.length).toBeGreaterThan(0)
  await joined.close({ timeout: 50 })
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['Disconnected']))
  await expect.poll(() => far.reports.filter(({ type }) => type === 'closed')).toHaveLength(1)
})

test('what is closed while it is opened gives up, and a session that comes late is closed', async () => {
  const far = await startFar()
  let let_in!: () => void
  const open = new Promise<void>(resolve => (let_in = resolve))
  let asked!: AbortSignal
  const joined = await join({
    async open(options) {
      asked = options.signal
      await open
      return far.open(options)
    },
  })
  const connecting = joined.connect('tests')
  connecting.catch(() => {})
  await expect.poll(() => asked).toBeDefined()
  await joined.close()
  expect(asked.aborted).toBe(true)
  await expect(connecting).rejects.toMatchObject(gone('no'))
  let_in()
  await expect.poll(() => far.reports.filter(({ type }) => type === 'closed')).toHaveLength(1)
  await expect(joined.connect('tests')).rejects.toMatchObject(gone('no'))
})

test('without an answer in time the first link is given up, and the last cause said', async () => {
  const far = await startFar()
  far.refuses = nobody()
  const joined = await assemble({ log: false }, far, { where: 'joinBus', name: 'joined' }, 300)
  await expect(joined.connect('tests')).rejects.toMatchObject({
    ...gone('no'),
    message: 'core did not answer "tests" within 300 ms: no responders',
    cause: far.refuses,
  })
  const before = far.asked
  far.refuses = undefined
  const client = await joined.connect('tests')
  expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  expect(far.asked).toBe(before + 1)
  // It holds for the first link alone.
  far.refuses = nobody()
  far.sessions.at(-1)!.link.close()
  await new Promise(resolve => setTimeout(resolve, 600))
  far.refuses = undefined
  await expect.poll(() => client.invoke('add', { a: 1, b: 2 }).catch(() => 0), { timeout: 10_000 }).toBe(3)
  await joined.close()
})

test.each([
  [
    { app: { security: { capabilities: [] } } },
    'joinBus: app.security.capabilities belongs to core. Pass it to createBus',
  ],
  [{ core: fixture('core.mjs') }, 'joinBus: core belongs to core'],
  [{ calls: { quotas: [] } }, 'joinBus: calls.quotas belongs to core'],
  [{ workers: { core: () => {} } }, 'joinBus: workers.core belongs to core'],
  [
    { app: { security: { pattern: { use: 'isolation', options: { maxRecordAge: 100 } } } } },
    'joinBus: app.security.pattern.options.maxRecordAge belongs to core',
  ],
  [{ frontend: {} }, 'joinBus: unknown option "frontend" (did you mean "frontends"?)'],
  [{ frontends: { core: fixture('main.mjs') } }, 'joinBus: frontends.core must be a label other than'],
  [{ frontends: { main: fixture('nothing.mjs') } }, 'joinBus: frontends.main: there is no file'],
  [{ calls: { timeout: 'soon' } }, 'joinBus: calls.timeout must be whole milliseconds'],
])('a wrong option is named: %#', async (options, text) => {
  const far = await startFar()
  await expect(join(far, options as RemoteHostOptions)).rejects.toMatchObject({
    reason: 'InvalidParams',
    message: expect.stringContaining(text),
  })
})

test('what it is asked wrongly is refused in its own name', async () => {
  const joined = await join(await startFar())
  const client = await joined.connect('tests')
  await expect(joined.connect('host')).rejects.toThrow('joined.connect: its label must be a label other than')
  await expect(joined.connect('tests')).rejects.toThrow('Frontend "tests" already exists')
  await expect(joined.reload('test')).rejects.toThrow(
    'joined.reload: there is no frontend "test" (did you mean "tests"?)',
  )
  await expect(joined.closeFrontend('no')).rejects.toThrow('There is no frontend "no"')
  expect(() => joined.on('denied' as 'fault', () => {})).toThrow('joined.on: no event "denied"')
  await expect(joined.close({ timeout: -1 })).rejects.toThrow('joined.close: timeout must be milliseconds')
  await client.close()
})

test('it ends by itself once it is closed: nothing keeps the process', async () => {
  const child = spawn(process.execPath, [fixture('remote-host.mjs').pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  child.stdout.on('data', chunk => lines.push(String(chunk)))
  const [code] = (await once(child, 'exit')) as [number]
  expect([code, lines.join('')]).toEqual([0, 'Hello\nclosed []\n'])
})
