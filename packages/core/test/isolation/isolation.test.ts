// The isolation pattern end to end: a hook passes, changes and rejects calls and events, in both codecs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, type Bus, type Client } from '../../src/index.js'
import { fixture, isolation, next, openRaw, patterns, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

describe.each(choose(['json', 'msgpack'] as const))('the hook, in %s', codec => {
  let bus: Bus
  let client: Client
  beforeAll(async () => {
    bus = await createBus({ core: fixture('core.mjs'), log: false, codec, ...isolation('judge') })
    client = await bus.connect('tests')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('rejects a call by what it returns or throws', () =>
    rows([
      ['null', 'it returned null or undefined'],
      ['undefined', 'it returned null or undefined'],
      ['throw', 'it threw'],
      ['nonsense', 'it did not return a message'],
    ])(async (hook, why) => {
      const rejected = new Promise(resolve => bus.on('rejected', resolve))
      await expect(client.invoke('add', { hook })).rejects.toMatchObject({
        code: -32002,
        reason: 'Rejected',
        message: `command "add" was rejected by the isolation hook (${why})`,
      })
      expect(await rejected).toMatchObject({ label: 'tests', command: 'add' })
      expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    }))

  test('changes arguments, the command and an event', async () => {
    expect(await client.invoke('add', { a: 1, b: 2, hook: 'change' })).toBe(42)
    expect(await client.invoke('echo', { hook: 'other-command' })).toBe(2)
    expect(await client.invoke('body', { hook: 'bytes' })).toMatchObject({ isBytes: true })
    const received: unknown[] = []
    const unlisten = await client.listen('backend-event', ({ payload }) => void received.push(payload))
    await client.emit('frontend-event', { hook: 'change-in-place' })
    await client.emit('frontend-event', { hook: 'null' })
    await client.invoke('add', { a: 1, b: 2 })
    expect(received).toEqual([{ hook: 'change-in-place', changed: true }])
    unlisten()
  })

  test('gets a message in the format of Tauri', async () => {
    expect(await client.invoke('echo', { hook: 'show', x: 1 }, { headers: { h: 'v' } })).toEqual({
      shown: {
        cmd: 'echo',
        callback: expect.any(Number) as number,
        error: expect.any(Number) as number,
        payload: { hook: 'show', x: 1 },
        options: { headers: { h: 'v' } },
      },
    })
  })

  test('keeps the order of messages when it is slow, and does not delay other hooks', async () => {
    const slow = await (await start({ ...isolation('slow'), codec })).connect('tests')
    const order: string[] = []
    const record = (name: string) => () => void order.push(name)
    const calls = [
      slow.invoke('echo', { wait: true }).then(record('first')),
      slow.invoke('echo', {}).then(record('second')),
      slow.invoke('echo', { wait: true }).then(record('third')),
      slow.invoke('echo', {}).then(record('fourth')),
    ]
    await Promise.all(calls)
    expect(order).toEqual(['first', 'second', 'third', 'fourth'])
  })

  test('a cancel overtakes a call that waits in the hook, so the call never runs', async () => {
    const pending = client.invoke('add', { a: 1, b: 2, hook: 'never' }, { timeout: 1 })
    const following = client.invoke('add', { a: 3, b: 4 })
    await expect(pending).rejects.toMatchObject({ reason: 'Timeout' })
    expect(await following).toBe(7)
  })

  test('a too large message rejects its call, immediately or later, and the gate keeps running', async () => {
    for (const hook of ['large', 'large-later']) {
      await expect(client.invoke('echo', { hook })).rejects.toMatchObject({ reason: 'Rejected' })
      expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    }
  })

  test('a payload that is a text or a list rejects the call', () =>
    rows(['text', 'list'])(async hook => {
      await expect(client.invoke('echo', { hook })).rejects.toMatchObject({
        reason: 'Rejected',
        data: { why: 'malformed' },
      })
    }))

  test('waits for the message of a promise', async () => {
    expect(await client.invoke('add', { a: 1, b: 2, hook: 'later' })).toBe(3)
  })
})

describe('a number that JSON cannot encode again', () => {
  test.each(patterns)('ends the session of its frontend, and no other: %s', async (_name, app) => {
    const bus = await start({ ...app, supervision: { restart: 'temporary' } })
    const client = await bus.connect('tests')
    for (const [label, number] of Object.entries({ exponent: '1e400', digits: '9'.repeat(400) })) {
      const fault = new Promise(resolve => bus.on('fault', resolve))
      const send = await openRaw(bus, label)
      send(`{"jsonrpc":"2.0","id":1,"method":"log_line","params":{"a":${number}}}`)
      expect(await fault).toMatchObject({
        label,
        error: { reason: 'ParseError', message: 'Parse error: a number is out of range' },
      })
    }
    expect(await client.invoke('add', { a: 1e308, b: 1 })).toBe(1e308)
  })
})

describe('the isolation app', () => {
  test('makes the start fail if it throws or sets no hook', async () => {
    const frontends = { main: fixture('main.mjs') }
    await expect(start({ ...isolation('throws-at-load'), frontends })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringMatching(/index\.js threw: while it loads/) as string,
    })
    await expect(start({ ...isolation('none'), frontends })).rejects.toMatchObject({
      message: expect.stringMatching(/set no window\.__TAURI_ISOLATION_HOOK__/) as string,
    })
    await expect(start(isolation('missing'))).rejects.toMatchObject({
      message: expect.stringMatching(/isolation\.dir: there is no file .*missing.index\.html/) as string,
    })
  })

  test('makes a connection fail if it is broken, and frees the label', async () => {
    const bus = await start(isolation('none'))
    for (let i = 0; i < 2; i++) {
      await expect(bus.connect('tests')).rejects.toMatchObject({ message: expect.stringMatching(/set no window/) })
    }
  })

  test('calls that wait in a gate when the bus closes do not run', async () => {
    let count = 0
    const core = { commands: { count: () => void count++ } }
    const allowed = { identifier: 'count', windows: ['*'], permissions: ['allow-count'] }
    const bus = await start({ ...isolation('judge', {}, allowed), core })
    const client = await bus.connect('tests')
    await client.invoke('count')
    const calls = [client.invoke('count', { hook: 'never' }), client.invoke('count'), client.invoke('count')]
    const ends = Promise.allSettled(calls)
    await bus.close({ timeout: 0 })
    const cut = { status: 'rejected', reason: { reason: 'Disconnected' } }
    expect(await ends).toMatchObject([cut, cut, cut])
    expect(count).toBe(1)
  })

  test('passes what code has sent before its end, however long it takes', () =>
    rows(choose(['permission', 'process', { kind: 'quickjs', process: true }, 'quickjs'] as const, 1, 3))(
      async sandbox => {
        const bus = await start(isolation('patient'))
        const run = (): Promise<unknown> =>
          bus.run('return "x".repeat(args.size)', { args: { size: 3 * 2 ** 20 }, sandbox })
        expect((await Promise.all([run(), run()])).map(String)).toEqual(Array(2).fill('x'.repeat(3 * 2 ** 20)))
      },
    ))

  test('a reload passes what the code has sent, and the next code starts with the next gate', () =>
    rows(choose(['permission', 'process', { kind: 'quickjs', process: true }, 'quickjs'] as const, 1, 3))(
      async sandbox => {
        const bus = await start(isolation('patient'))
        const received: number[] = []
        await bus.listen<{ n: number }>('sent', ({ payload }) => void received.push(payload.n))
        const source = `import { emit, invoke } from '@sallyport/frontend'
          const first = await invoke('add', { a: 0, b: 0 })
          for (let n = first; n < 4; n++) await emit('sent', { n, large: 'x'.repeat(2 ** 20) })`
        await bus.open('main', { name: 'main.js', source }, { sandbox })
        for (let reloads = 0; reloads < 2; reloads++) await bus.reload('main')
        const all = Array.from({ length: 3 }, () => [0, 1, 2, 3]).flat()
        await expect.poll(() => received.length).toBe(all.length)
        expect(received).toEqual(all)
      },
    ))

  test('is optional: without dir every message passes, sealed and authorized', async () => {
    const bus = await start(isolation())
    const client = await bus.connect('tests')
    expect(await client.invoke('add', { a: 1, b: 2, hook: 'null' })).toBe(3)
  })

  test('asks the host with confirm, which is false without an answer', async () => {
    const ask = { hook: 'confirm', question: 'Really?' }
    const silent = await (await start(isolation('judge'))).connect('tests')
    expect(await silent.invoke('echo', ask)).toEqual({ answer: false })
    const requests: unknown[] = []
    const onConfirm = async (text: string, from: { label: string }) => {
      requests.push([text, from])
      return true
    }
    const client = await (await start({ ...isolation('judge'), onConfirm })).connect('tests')
    expect(await client.invoke('echo', ask)).toEqual({ answer: true })
    expect(requests).toEqual([['Really?', { label: 'tests' }]])
    const failing = () => {
      throw new Error('no answer')
    }
    const other = await (await start({ ...isolation('judge'), onConfirm: failing })).connect('tests')
    expect(await other.invoke('echo', ask)).toEqual({ answer: false })
  })

  test('each frontend has a gate and keys of its own', async () => {
    const bus = await start({ ...isolation('judge'), frontends: { main: fixture('main.mjs') } })
    await next(bus, 'main-ready')
    const [first, second] = await Promise.all([bus.connect('one'), bus.connect('two')])
    expect(await first.invoke('body')).toMatchObject({ label: 'one' })
    expect(await second.invoke('body')).toMatchObject({ label: 'two' })
  })
})
