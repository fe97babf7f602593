// One test file, without imports of a test runner: each runner defines `afterEach`, `describe`, `expect` and `test`.
import { readFile, stat } from 'node:fs/promises'
import { CommandError, createBus, isBusError, isCommandError } from '@sallyport/core'
import { createTestBus, runHook } from '@sallyport/core/testing'
import core from './core.js'

const hook = new URL('./dist-isolation/', import.meta.url)
const open = []
afterEach(() => Promise.all(open.splice(0).map(bus => bus.close())))

async function startTestBus(options) {
  const testBus = await createTestBus({ core, ...options })
  open.push(testBus)
  return testBus
}

describe.each([
  ['brownfield', 'json', {}],
  ['brownfield', 'msgpack', {}],
  ['isolation', 'json', { isolation: { dir: hook } }],
  ['isolation', 'msgpack', { isolation: { dir: hook } }],
])('%s, %s', (_pattern, codec, options) => {
  const start = more => startTestBus({ ...options, codec, ...more })

  test('calls arrive as plain values', async () => {
    const { client, calls } = await start()
    const value = { list: [1, null, 'é'], nested: { b: true } }
    expect(await client.invoke('echo', { value })).toEqual(value)
    expect(calls('echo')).toMatchObject([{ label: 'main', status: 'succeeded' }])
    expect(calls('echo')[0].args).toStrictEqual({ value })
  })

  test('bytes arrive as bytes', async () => {
    const { client } = await start()
    expect(await client.invoke('size', new Uint8Array(5))).toBe(5)
    expect(await client.invoke('size', new ArrayBuffer(6))).toBe(6)
    expect(await client.invoke('size', Buffer.alloc(7))).toBe(7)
    expect(await client.invoke('describe', { value: new Uint8Array(1) })).toBe('[object Uint8Array]')
    expect(new Uint8Array(await client.invoke('echo', { value: new Uint8Array([1, 2]) }))).toEqual(
      new Uint8Array([1, 2]),
    )
    const large = await client.invoke('echo', { value: new Uint8Array(2 ** 21).fill(7) })
    expect([large.byteLength, new Uint8Array(large)[2 ** 20]]).toEqual([2 ** 21, 7])
  })

  test('channels and streams deliver', async () => {
    const { client } = await start()
    const channel = new client.Channel()
    await client.invoke('fill', { channel })
    const received = []
    for await (const message of channel) received.push(message)
    expect([new Uint8Array(received[0]), received[1]]).toEqual([new Uint8Array([1, 2]), { n: 3 }])
    const numbers = []
    for await (const n of client.stream('count', { to: 3 })) numbers.push(n)
    expect(numbers).toEqual([1, 2, 3])
  })

  test('events are delivered', async () => {
    const { client } = await start()
    const pong = client.once('pong')
    await client.emit('ping', { n: 1 })
    expect((await pong).payload).toEqual({ n: 1 })
  })

  test('calls time out and are cancelled', async () => {
    const { client } = await start()
    await expect(client.invoke('until_cancelled', {}, { timeout: 10 })).rejects.toMatchObject({ reason: 'Timeout' })
    const controller = new AbortController()
    const call = client.invoke('until_cancelled', {}, { signal: controller.signal })
    controller.abort()
    await expect(call).rejects.toMatchObject({ reason: 'Cancelled', name: 'AbortError' })
    await expect(client.invoke('until_cancelled', {}, { signal: AbortSignal.timeout(10) })).rejects.toMatchObject({
      reason: 'Timeout',
    })
  })

  test('errors keep their reason and data', async () => {
    const fails = () => {
      throw new CommandError('NOT_FOUND', 'no such note', { data: { id: 7 } })
    }
    const { client } = await start({
      commands: {
        reads: () => readFile('/missing/file'),
        fails,
        'throws-type-error': () => null.x,
        'fails-always': new RangeError('too large'),
        'throws-data': () => {
          throw { why: 'busy' }
        },
      },
    })
    const error = await client.invoke('fails').catch(thrown => thrown)
    expect([isCommandError(error, 'NOT_FOUND'), error.commandData]).toEqual([true, { id: 7 }])
    await expect(client.invoke('throws-type-error')).rejects.toThrow(/Cannot read properties of null/)
    await expect(client.invoke('reads')).rejects.toThrow('ENOENT: no such file or directory')
    await expect(client.invoke('echo', { value: stat('.') })).rejects.toThrow(/is a Promise/)
    await expect(client.invoke('fails-always')).rejects.toThrow('too large')
    await expect(client.invoke('throws-data')).rejects.toMatchObject({ reason: 'CommandFailed', data: { why: 'busy' } })
    expect(isBusError(await client.invoke('missing').catch(thrown => thrown), 'MethodNotFound')).toBe(true)
  })
})

test('the hook rejects calls', async () => {
  const { client, calls } = await startTestBus({ isolation: { dir: hook } })
  await expect(client.invoke('echo', { value: 'forbidden' })).rejects.toMatchObject({ reason: 'Rejected' })
  expect(calls()).toEqual([])
  expect(await runHook(hook, { cmd: 'echo', payload: { value: 'forbidden' } })).toEqual({ passed: false, why: 'null' })
})

test.each(['permission', 'process', 'none'])('a plugin with sandbox %s calls and is called', async sandbox => {
  const module = new URL('./plugin.js', import.meta.url)
  const { client, bus, calls } = await startTestBus({
    frontends: { plugin: { module, sandbox, allow: ['size'] } },
    capabilities: [{ identifier: 'tests', windows: ['main'], permissions: ['allow-render'] }],
  })
  expect(await client.invoke('render', { text: 'a' })).toBe('A')
  expect(await bus.call('plugin', 'size', { bytes: new Uint8Array(9) })).toBe(9)
  expect(calls('size')).toMatchObject([{ label: 'plugin' }])
})

test('core runs in a worker', async () => {
  const bus = await createBus({ core: new URL('./core.js', import.meta.url), log: false })
  open.push(bus)
  const client = await bus.connect('main')
  expect(await client.invoke('echo', { value: 1 })).toBe(1)
  expect(await client.invoke('size', new Uint8Array(5))).toBe(5)
})
