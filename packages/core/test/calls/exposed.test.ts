// Calls of exposed functions from core and the host, in both patterns: values, errors, bytes, and every way to end early.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Bus, BusError, BusOptions } from '../../src/index.js'
import { fixture, next, routesTo, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const { commands } = (await import('../fixtures/calls/caller.mjs' as string)) as { commands: string[] }
const core = fixture('calls/caller.mjs')

/** Each pattern and connection, with a frontend named `main`, and a client named `tests` that can call core. */
const connections = routesTo(core, commands)
const routes = [
  ...connections,
  ...routesTo(core, commands)
    .filter(([name]) => name === 'isolation, json')
    .map(([name, connect]): (typeof connections)[number] => [`${name}, process`, connect]),
]
const module = fixture('calls/exposing.mjs')

type Connect = (typeof routes)[number][1]
type Connected = Awaited<ReturnType<Connect>>

function openFrontend(bus: Bus, label: string, name: string, data?: object): Promise<unknown> {
  const [, , sandbox = 'none'] = name.split(', ') as [string, string, 'process'?]
  const supervision = { restart: 'temporary' } as const
  return bus.open(label, module, { data, sandbox, supervision, loaded: false })
}

let openedAfresh = 0

/** Opens a frontend with a label of its own, on the shared bus. */
async function open(connect: Connect, name: string, data?: object): Promise<Connected & { label: string }> {
  const both = await connect('shared')
  const label = `fresh-${++openedAfresh}`
  await openFrontend(both.bus, label, name, data)
  return { ...both, label }
}

const opened = new Map<Bus, Promise<unknown>>()

/** For tests that leave the frontend as it was. */
async function openShared(connect: Connect, name: string): ReturnType<Connect> {
  const both = await connect('shared')
  if (!opened.has(both.bus)) opened.set(both.bus, openFrontend(both.bus, 'main', name))
  await opened.get(both.bus)
  return both
}

const getReason = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    ({ reason }: { reason: unknown }) => reason,
  )

describe.each(choose(routes))('an exposed function: %s', (name, connect) => {
  test('answers host and core, even if they call before its module is loaded', async () => {
    const { bus, client, label } = await open(connect, name, { waits: true })
    const call = bus.call(label, 'late')
    expect(await bus.call(label, 'echo', { a: [1, null, { b: 'ü' }] })).toEqual({ a: [1, null, { b: 'ü' }] })
    expect(await bus.call(label, 'nothing')).toBe(null)
    expect(await bus.call(label, 'echo')).toEqual({})
    expect(await bus.call(label, 'calls_core', { name: 'core' })).toBe('Hello, core!')
    expect(await bus.call(label, 'calls_itself', { depth: 20 })).toBe('bottom')
    expect(await client.invoke('call', { label, name: 'later', args: { n: 1 } })).toEqual({ value: { n: 1 } })
    await bus.call(label, 'go_on')
    expect(await call).toBe('here')
    expect(await client.invoke('many', { label, count: 1000 })).toBe(true)
    expect(await Promise.all(Array.from({ length: 1000 }, (_, n) => bus.call(label, 'later', { n })))).toHaveLength(
      1000,
    )
    await bus.closeFrontend(label)
  })

  test('fails like a handler: with the thrown value, or only the message of an error', async () => {
    const { bus } = await openShared(connect, name)
    const thrown = (what: string): Promise<unknown> => bus.call('main', 'throws', { what })
    await expect(thrown('error')).rejects.toMatchObject({
      reason: 'CommandFailed',
      message: 'it broke',
      data: 'it broke',
    })
    await expect(thrown('value')).rejects.toMatchObject({ reason: 'CommandFailed', data: { kind: 'NotFound', id: 7 } })
    await expect(thrown('text')).rejects.toMatchObject({ message: 'a text', data: 'a text' })
    await expect(bus.call('main', 'fails_in_system')).rejects.toMatchObject({
      data: expect.stringMatching(
        /^(ENOENT: no such file or directory, open '.*'|Access to this API has been restricted)/,
      ) as string,
    })
    await expect(bus.call('main', 'not_serializable')).rejects.toMatchObject({
      reason: 'InternalError',
      message: expect.stringContaining('The result of command "not_serializable" cannot be serialized') as string,
    })
    await expect(bus.call('main', 'iterable')).rejects.toMatchObject({ reason: 'InvalidRequest' })
    await expect(bus.call('main', 'ecko')).rejects.toMatchObject({
      reason: 'MethodNotFound',
      message: expect.stringMatching(/^The frontend exposes no function "ecko" \(did you mean "echo"\?\)/) as string,
    })
  })

  test('tells the host and its own client where it threw', async () => {
    const { bus, client } = await openShared(connect, name)
    const error = await bus.call('main', 'throws', { what: 'error' }).catch((thrown: unknown) => thrown as Error)
    const cause = (error as Error).cause as Error
    expect([cause.name, cause.message]).toEqual(['TypeError', 'it broke'])
    expect(cause.stack).toMatch(/^TypeError: it broke\n.*exposing\.mjs:\d+:\d+/)
    expect(
      ((await bus.call('main', 'throws', { what: 'value' }).catch((thrown: unknown) => thrown)) as Error).cause,
    ).toBe(undefined)
    const asked = client.invoke('throw_of', { label: 'main', what: 'error' })
    const other = (await asked.catch((thrown: unknown) => thrown)) as Error
    expect(other).toMatchObject({ reason: 'CommandFailed', message: 'it broke' })
    expect(other.cause).toMatchObject({ name: 'TypeError', message: 'it broke' })
  })

  test('receives and returns bytes, copied and transferred', async () => {
    const { bus } = await openShared(connect, name)
    for (const size of [1, 1000, 200_000]) {
      const bytes = new Uint8Array(size).fill(9)
      expect(await bus.call('main', 'weigh', bytes)).toEqual({ length: size, last: 9, whole: true })
      expect(await bus.call('main', 'weigh', { data: bytes, n: 1 })).toEqual({ length: size, last: 9, whole: false })
      expect(bytes.byteLength).toBe(size)
      await bus.call('main', 'weigh', { data: bytes }, { transfer: [bytes.buffer] })
      expect(bytes.byteLength).toBe(0)
      const result = await bus.call<Uint8Array>('main', 'bytes', { size })
      expect([result.constructor, result.length, result.at(-1)]).toEqual([Uint8Array, size, 7])
      expect(await bus.call('main', 'bytes', { size, named: true })).toEqual({
        data: new Uint8Array(size).fill(7),
        more: 1,
      })
    }
    const small = await Promise.all(
      Array.from({ length: 50 }, (_, n) => bus.call('main', 'echo', { data: new Uint8Array([n]) })),
    )
    expect(small).toEqual(Array.from({ length: 50 }, (_, n) => ({ data: new Uint8Array([n]) })))
  })

  test('gets an aborted signal when the caller no longer waits', async () => {
    const { bus, client } = await openShared(connect, name)
    const controller = new AbortController()
    const call = bus.call('main', 'never', {}, { signal: controller.signal })
    call.catch(() => {})
    await expect.poll(() => bus.call('main', 'seen')).toEqual(['began'])
    controller.abort()
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled', message: '"never" was cancelled' })
    await expect.poll(() => bus.call('main', 'seen')).toEqual(['began', 'Cancelled'])
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const late = bus.call('main', 'never', {}, { timeout: 3_600_000 })
    late.catch(() => {})
    await expect.poll(() => bus.call('main', 'seen')).toEqual(['began', 'Cancelled', 'began'])
    vi.advanceTimersByTime(3_600_000)
    await expect(late).rejects.toMatchObject({ reason: 'Timeout', message: '"never" took longer than 3600000 ms' })
    await expect.poll(() => bus.call('main', 'seen')).toEqual(['began', 'Cancelled', 'began', 'Cancelled'])
    vi.useRealTimers()
    expect(await client.invoke('call', { label: 'main', name: 'never', timeout: 1 })).toMatchObject({
      reason: 'Timeout',
    })
  })

  test('rejects arguments without names', async () => {
    const { bus, client } = await openShared(connect, name)
    expect(await client.invoke('call_wrong', { label: 'main' })).toEqual(
      Array.from({ length: 6 }, () => expect.objectContaining({ reason: 'InvalidParams' }) as object),
    )
    for (const wrong of [{ timeout: -1 }, { headers: {} }, { signal: 1 }] as object[]) {
      expect(await getReason(bus.call('main', 'echo', {}, wrong))).toBe('InvalidParams')
    }
    expect(await getReason(bus.call('main', 'echo', [1]))).toBe('InvalidParams')
    await expect(bus.call('main', 'echo', { n: 1n << 70n })).rejects.toMatchObject({
      message: expect.stringContaining('Arguments of "echo" cannot be serialized') as string,
    })
  })

  test('can be exposed by a client in the host', async () => {
    const { bus, client } = await connect('shared')
    const take = client.expose({ double: ({ n }: { n: number }) => n * 2 })
    expect(await bus.call('tests', 'double', { n: 4 })).toBe(8)
    expect(() => client.expose({ other: () => 1, double: () => 1 })).toThrow('expose: "double" is exposed already')
    expect(await getReason(bus.call('tests', 'other'))).toBe('MethodNotFound')
    take()
    take()
    expect(await getReason(bus.call('tests', 'double', { n: 4 }))).toBe('MethodNotFound')
    const takeAgain = client.expose({ double: () => 'again' })
    take()
    expect(await bus.call('tests', 'double')).toBe('again')
    takeAgain()
    for (const wrong of [null, 5, { a: 1 }, { '': () => 1 }, { '$/x': () => 1 }])
      expect(() => client.expose(wrong as object as {})).toThrow(expect.objectContaining({ reason: 'InvalidParams' }))
  })
})

describe.each(connections.filter(([name]) => name.includes('json')))('a label: %s', (_name, connect) => {
  test('is suggested for a similar one, and can be used again after its frontend was closed', async () => {
    const { bus } = await connect('shared')
    await bus.open('other', module)
    await expect(bus.call('othe', 'echo')).rejects.toMatchObject({
      message: 'There is no frontend "othe" (did you mean "other"?)',
    })
    const [closing, call] = [bus.closeFrontend('other'), getReason(bus.call('other', 'never'))]
    await closing
    expect(await call).toBe('Disconnected')
    await bus.open('other', module)
    expect(await bus.call('other', 'echo', { again: true })).toEqual({ again: true })
  })
})

/** With one codec for each place of core and pattern: an end is found in the same way under both codecs. */
const endRoutes = choose(routes).filter(([name]) => !name.includes('msgpack') || name.includes('in this thread'))

describe.each(endRoutes)('the end of an exposed function: %s', (name, connect) => {
  // faults/frontends.test.ts has all ends in both patterns.
  test.each(name === endRoutes[0]![0] ? ['exit', 'throw'] : ['exit'])(
    'settles calls when the frontend ends by %s',
    async how => {
      const { bus, client, label } = await open(connect, name)
      const calls = [bus.call(label, 'never'), client.invoke('call', { label, name: 'never' })]
      calls[0]!.catch(() => {})
      await expect.poll(() => bus.call(label, 'seen')).toEqual(['began', 'began'])
      calls.push(bus.call(label, 'dies', { how }))
      const disconnected = { reason: 'Disconnected', data: { delivered: 'unknown' } }
      await expect(calls[0]).rejects.toMatchObject(disconnected)
      await expect(calls[2]).rejects.toMatchObject(disconnected)
      expect(await calls[1]).toMatchObject(disconnected)
      await expect(bus.call(label, 'seen')).rejects.toMatchObject({
        message: expect.stringMatching(
          new RegExp(
            `^The(?:re is no frontend "${label}"| frontend "${label}" is restarting, call it again later)(: it .+| \\(did you mean "[^"]+"\\?\\))?$`,
          ),
        ) as string,
        data: { delivered: 'no' },
      })
    },
  )

  test('rejects calls when the module fails to load', async () => {
    const { bus, label } = await open(connect, name, { fail: true })
    bus.on('fault', () => {})
    const calls = ['late', 'nowhere', 'never'].map(what => getReason(bus.call(label, what)))
    expect(await Promise.all(calls)).toEqual(['Disconnected', 'Disconnected', 'Disconnected'])
  })

  test('settles calls when the bus closes', async () => {
    const { bus, client } = await connect()
    const label = 'main'
    await openFrontend(bus, label, name)
    const calls = [bus.call(label, 'never'), client.invoke('call', { label, name: 'never' })].map(getReason)
    await expect.poll(() => bus.call(label, 'seen')).toEqual(['began', 'began'])
    await bus.close({ timeout: 1 })
    expect(await calls[0]).toBe('Disconnected')
    expect(['Disconnected', 'resolved']).toContain(await calls[1])
    expect(await getReason(bus.call(label, 'never'))).toBe('Disconnected')
  })
})

const isolated = (dir: URL, legacyMessages = false): Partial<BusOptions> => ({
  core,
  isolation: { dir, legacyMessages },
  capabilities: [
    {
      identifier: 'all',
      windows: ['*'],
      permissions: commands.map(command => `allow-${command.replaceAll('_', '-')}`),
    },
  ],
})

test.each([false, true])(
  'a hook that sees answers can change and reject them, and keeps their order, legacyMessages: %s',
  async legacyMessages => {
    const dir = fixture(legacyMessages ? 'isolation/hooks/answers-legacy/' : 'isolation/hooks/answers/')
    const bus = await start({ ...isolated(dir, legacyMessages), frontends: { main: module } })
    const rejected: string[] = []
    bus.on('rejected', ({ command, why }) => rejected.push(`${command}: ${why}`))
    await next(bus, 'exposing-ready')
    const ask = (wish: string, more: object = {}): Promise<unknown> => bus.call('main', 'echo', { wish, ...more })
    expect(await ask('show')).toEqual({ cmd: 'plugin:expose|answer', ids: true, wish: 'show' })
    expect(await ask('change')).toEqual({ changed: true })
    expect(await ask('fail')).toBe('resolved by hook')
    await expect(ask('error')).rejects.toMatchObject({ reason: 'CommandFailed', message: 'says the hook' })
    for (const wish of ['null', 'throw', 'other-command', 'empty', 'both', 'bad-error', 'not_serializable']) {
      await expect(ask(wish), wish).rejects.toMatchObject({ reason: 'Rejected' })
    }
    await expect.poll(() => rejected).toHaveLength(7)
    expect(rejected[0]).toBe('plugin:expose|answer: null')
    const order: string[] = []
    await Promise.all([ask('later').then(() => order.push('later')), ask('plain').then(() => order.push('plain'))])
    expect(order).toEqual(['later', 'plain'])
    expect(await ask('bytes', { data: new Uint8Array(100_000).fill(3) })).toEqual({
      data: new Uint8Array(100_000).fill(3),
    })
  },
)

test('a call settles whatever its function throws, and its frontend goes on', () =>
  rows(choose(['permission', 'process', 'quickjs'] as const))(async sandbox => {
    const bus = await start()
    const source = `import { expose } from '@sallyport/frontend'
    const fail = { get() { throw 1 }, getPrototypeOf() { throw 2 } }
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const error = Object.defineProperty(new Error('x'), 'message', { get() { throw 1 } })
    const values = [proxy, new Proxy({}, fail), new Proxy(new Error('x'), fail), error, Symbol('x'), { a: 1n }]
    expose({ fail({ index }) { throw values[index] }, count: () => values.length })`
    await bus.open('odd', { source, name: 'odd.mjs' }, { sandbox })
    // A value that cannot be written has no data, and an error whose message cannot be read has `null`.
    const unreadable = ['CommandFailed', null]
    const unwritten = ['CommandFailed', undefined]
    const ends: unknown[] = []
    for (let index = 0; index < 6; index++)
      await bus.call('odd', 'fail', { index }).catch(({ reason, data }: BusError) => ends.push([reason, data]))
    expect(ends).toEqual([unwritten, unwritten, unwritten, unreadable, unwritten, unwritten])
    expect(await bus.call('odd', 'count')).toBe(6)
  }))

test('a call of a module with exports and no functions says that the exports are ignored', async () => {
  const bus = await start()
  await bus.open('plain', { source: 'export default { run() {} }', name: 'plain.js' }, { sandbox: 'permission' })
  await expect(bus.call('plain', 'run')).rejects.toThrow(
    'it exposes no functions. The exports of its module are ignored: call `expose({ … })` of @sallyport/frontend instead',
  )
})
