// The isolation pattern end to end: what a hook passes, changes and refuses, for calls and events, in both codecs.
import { describe, expect, test } from 'vitest'
import { fixture, isolation, next, start } from './start.js'

describe.each([
  ['json', 'port'],
  ['msgpack', 'ring'],
] as const)('the hook, in %s over a %s', (codec, link) => {
  const connect = async () => {
    const bus = await start({ app: isolation('judge') })
    return { bus, client: await bus.connect('tests', { codec, link }) }
  }

  test.each([
    ['null', 'it returned null or undefined'],
    ['undefined', 'it returned null or undefined'],
    ['throw', 'it threw'],
    ['nonsense', 'it did not return a message'],
  ])('refuses by %s: the call settles with Rejected', async (hook, why) => {
    const { bus, client } = await connect()
    const told = new Promise(resolve => bus.on('rejected', resolve))
    await expect(client.invoke('add', { hook })).rejects.toMatchObject({
      code: -32002,
      reason: 'Rejected',
      message: `command "add" was rejected by the isolation hook (${why})`,
    })
    expect(await told).toMatchObject({ label: 'tests', command: 'add' })
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
  })

  test('changes arguments, the command, an event', async () => {
    const { client } = await connect()
    expect(await client.invoke('add', { a: 1, b: 2, hook: 'change' })).toBe(42)
    expect(await client.invoke('echo', { hook: 'other-command' })).toBe(2)
    expect(await client.invoke('body', { hook: 'bytes' })).toMatchObject({ isBytes: true })
    const heard: unknown[] = []
    await client.listen('backend-event', ({ payload }) => void heard.push(payload))
    await client.emit('frontend-event', { hook: 'change-in-place' })
    await client.emit('frontend-event', { hook: 'null' })
    await client.invoke('add', { a: 1, b: 2 })
    expect(heard).toEqual([{ hook: 'change-in-place', changed: true }])
  })

  test('sees Tauri’s message', async () => {
    const { client } = await connect()
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

  test('may take its time: order is kept, and the others’ hooks run on', async () => {
    const bus = await start({ app: isolation('slow') })
    const client = await bus.connect('tests', { codec, link })
    const order: string[] = []
    const note = (name: string) => () => void order.push(name)
    const calls = [
      client.invoke('echo', { wait: true }).then(note('first')),
      client.invoke('echo', {}).then(note('second')),
      client.invoke('echo', { wait: true }).then(note('third')),
      client.invoke('echo', {}).then(note('fourth')),
    ]
    await Promise.all(calls)
    expect(order).toEqual(['first', 'second', 'third', 'fourth'])
  })

  test('a cancel overtakes a call that waits in the hook, which then never runs', async () => {
    const { client } = await connect()
    const stuck = client.invoke('add', { a: 1, b: 2, hook: 'never' }, { timeout: 20 })
    const behind = client.invoke('add', { a: 3, b: 4 })
    await expect(stuck).rejects.toMatchObject({ reason: 'Timeout' })
    expect(await behind).toBe(7)
  })

  test('an answer that is too large rejects its call, at once or later, and the gate goes on', async () => {
    const { client } = await connect()
    for (const hook of ['large', 'large-later']) {
      await expect(client.invoke('echo', { hook })).rejects.toMatchObject({ reason: 'Rejected' })
      expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    }
  })

  test.each(['text', 'list'])('a payload that is a %s rejects the call', async hook => {
    const { client } = await connect()
    await expect(client.invoke('echo', { hook })).rejects.toMatchObject({
      reason: 'Rejected',
      data: { why: 'malformed' },
    })
  })

  test('passes a promise’s message', async () => {
    const { client } = await connect()
    expect(await client.invoke('add', { a: 1, b: 2, hook: 'later' })).toBe(3)
  })
})

describe('the isolation app', () => {
  test('that throws, or sets no hook, stops the start and is named', async () => {
    const frontends = { main: fixture('main.mjs') }
    await expect(start({ app: isolation('throws-at-load'), frontends })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringMatching(/index\.js threw: while it loads/) as string,
    })
    await expect(start({ app: isolation('none'), frontends })).rejects.toMatchObject({
      message: expect.stringMatching(/set no window\.__TAURI_ISOLATION_HOOK__/) as string,
    })
    await expect(start({ app: isolation('missing') })).rejects.toMatchObject({
      message: expect.stringMatching(/options\.dir: there is no file .*missing.index\.html/) as string,
    })
  })

  test('that is broken fails a connection, and the label is free again', async () => {
    const bus = await start({ app: isolation('none') })
    for (let i = 0; i < 2; i++) {
      await expect(bus.connect('tests')).rejects.toMatchObject({ message: expect.stringMatching(/set no window/) })
    }
  })

  test('is not needed: without dir everything passes, sealed and authorized', async () => {
    const bus = await start({ app: isolation() })
    const client = await bus.connect('tests')
    expect(await client.invoke('add', { a: 1, b: 2, hook: 'null' })).toBe(3)
  })

  test('confirm asks the host, and is false where nobody answers', async () => {
    const ask = { hook: 'confirm', question: 'Really?' }
    const silent = await (await start({ app: isolation('judge') })).connect('tests')
    expect(await silent.invoke('echo', ask)).toEqual({ answer: false })
    const asked: unknown[] = []
    const onConfirm = async (text: string, from: { label: string }) => {
      asked.push([text, from])
      return true
    }
    const client = await (await start({ app: isolation('judge'), onConfirm })).connect('tests')
    expect(await client.invoke('echo', ask)).toEqual({ answer: true })
    expect(asked).toEqual([['Really?', { label: 'tests' }]])
    const failing = () => {
      throw new Error('no answer')
    }
    const other = await (await start({ app: isolation('judge'), onConfirm: failing })).connect('tests')
    expect(await other.invoke('echo', ask)).toEqual({ answer: false })
  })

  test('a frontend that sends its gate no frame is told of, and ended', async () => {
    const bus = await start({ app: isolation('judge'), supervision: { restart: 'temporary' } })
    const [fault, failed] = ['fault', 'failed'].map(name => new Promise(resolve => bus.on(name as 'fault', resolve)))
    const source = `import { MessagePort } from 'node:worker_threads'
      const { postMessage } = MessagePort.prototype
      MessagePort.prototype.postMessage = function () { postMessage.call(this, 'nonsense') }
      const { emit } = await import('${import.meta.resolve('@sallyport/frontend')}')
      await emit('x')`
    const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
    await bus.open('bad', module, { link: 'port', sandbox: 'none' })
    expect(await fault).toMatchObject({ label: 'bad', error: { reason: 'InvalidRequest' } })
    expect(await failed).toMatchObject({ label: 'bad', actor: 'frontend', error: { reason: 'InvalidRequest' } })
  })

  test('two frontends have gates and keys of their own', async () => {
    const bus = await start({ app: isolation('judge'), frontends: { main: fixture('main.mjs') } })
    await next(bus, 'main-ready')
    const [one, two] = await Promise.all([bus.connect('one'), bus.connect('two')])
    expect(await one.invoke('body')).toMatchObject({ label: 'one' })
    expect(await two.invoke('body')).toMatchObject({ label: 'two' })
  })
})
