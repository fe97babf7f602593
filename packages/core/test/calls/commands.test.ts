// Commands over every route of a call: both patterns, both codecs, and real worker threads.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { everyRoute, fixture, next, patterns, start } from '../support/start.js'
import { choose, rows } from '../../../../scripts/testing.js'

const some = choose(everyRoute, -2)
/** Without capabilities: a frontend can call every command. */
const [, plain] = everyRoute[0]!

describe.each(some)('commands: %s', (_name, connect) => {
  test('answer synchronously, asynchronously, behind a schema, and in the pool', async () => {
    const { client } = await connect('shared')
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    expect(await client.invoke('add', { a: 1, b: 2 })).toBe(3)
    expect(await client.invoke('slow', { ms: 1, value: ['late'] })).toEqual(['late'])
    expect(await client.invoke('slow', { ms: 1 })).toBe(null)
    expect(await client.invoke('heavy', { n: 1000 })).toMatchObject({ sum: 500_500, isMainThread: false })
  })

  test('answer each of many concurrent calls', async () => {
    const { client } = await connect('shared')
    const calls = Array.from({ length: 2000 }, (_, i) => client.invoke('add', { a: i, b: i }))
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 2000 }, (_, i) => 2 * i))
  })

  test('fail with the value that the handler threw, without a stack', async () => {
    const { client } = await connect('shared')
    await expect(client.invoke('fails')).rejects.toMatchObject({
      name: 'BusError',
      code: -32000,
      reason: 'CommandFailed',
      message: 'it broke',
      data: 'it broke',
    })
    await expect(client.invoke('fails_with_value')).rejects.toMatchObject({ data: { kind: 'NotFound', id: 7 } })
    await expect(client.invoke('rejects')).rejects.toMatchObject({ message: 'a plain string', data: 'a plain string' })
    const error = await client.invoke('fails_in_system').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ reason: 'CommandFailed', message: 'ENOENT: no such file or directory' })
    expect(JSON.stringify(error)).not.toContain('secret')
  })

  test('reject invalid arguments by name', async () => {
    const { client } = await connect('shared')
    await expect(client.invoke('greet', { nam: 'World' })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: 'invalid args `name` for command `greet`: command greet missing required key name',
      data: { issues: [{ path: ['name'] }] },
    })
    await expect(client.invoke('greet', { name: 5 })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: 'invalid args `name` for command `greet`: Invalid input: expected string, received number',
    })
    await expect(client.invoke('greet', new Uint8Array([1]))).rejects.toMatchObject({
      reason: 'InvalidParams',
      message:
        'invalid args `name` for command `greet`: ' +
        'command greet expected a value for key name but the IPC call used a bytes payload',
    })
    await expect(client.invoke('greet', [1] as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
    expect(await client.invoke('greet', { name: 'again' })).toBe('Hello, again!')
  })

  test('reject unknown names with the nearest one', async () => {
    const { client } = await connect('shared')
    await expect(client.invoke('gret', {})).rejects.toMatchObject({
      reason: 'MethodNotFound',
      message: 'Command gret not found (did you mean "greet"?)',
    })
    for (const name of ['__proto__', 'constructor', 'toString']) {
      await expect(client.invoke(name)).rejects.toMatchObject({ reason: 'MethodNotFound' })
    }
    const missing: [string, string][] = [
      ['plugin:event|lisen', 'Command lisen of plugin event not found (did you mean "listen"?)'],
      ['plugin:evnt|listen', 'plugin evnt not found (did you mean "event"?)'],
      ['plugin:window|set_title', 'Command set_title not found: "window|set_title" is not available without a GUI'],
      ['plugin:menu|new', 'Command new not found: "menu|new" is not available without a GUI'],
      ['plugin:app|app_show', 'Command app_show not found: "app|app_show" is not available without a GUI'],
    ]
    for (const [name, message] of missing) {
      await expect(client.invoke(name)).rejects.toMatchObject({ reason: 'MethodNotFound', message })
    }
    await expect(client.invoke('')).rejects.toMatchObject({ reason: 'InvalidParams' })
    await expect(client.invoke('$/event')).rejects.toMatchObject({ reason: 'InvalidRequest' })
  })

  test('receive headers and the label of the link', async () => {
    const { client } = await connect('shared')
    expect(await client.invoke('body', {}, { headers: { trace: 'abc' } })).toEqual({
      isBytes: false,
      headers: { trace: 'abc' },
      label: 'tests',
    })
  })

  test('end and abort the handler when the caller cancels or times out', async () => {
    const { client } = await connect('shared')
    const aborting = new AbortController()
    const cancelled = client.invoke('never_ends', {}, { signal: aborting.signal })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const late = client.invoke('never_ends', {}, { timeout: 3_600_000 })
    late.catch(() => {})
    await expect.poll(() => client.invoke('seen')).toEqual(['began', 'began'])
    aborting.abort()
    vi.advanceTimersByTime(3_600_000)
    await expect(cancelled).rejects.toMatchObject({ reason: 'Cancelled' })
    await expect(late).rejects.toMatchObject({ reason: 'Timeout' })
    expect(await client.invoke('seen')).toEqual(['began', 'began', 'Cancelled', 'Cancelled'])
  })
})

describe.each(patterns)('a frontend worker: %s', (_name, app) => {
  test.each(
    choose([
      ['msgpack', 'none'],
      ['json', 'process'],
      ['msgpack', 'process'],
    ] as const),
  )('calls and is answered in %s, sandbox: %s', async (codec, sandbox) => {
    const bus = await start({ ...app, codec, frontends: { main: { module: fixture('main.mjs'), sandbox } } })
    expect(await next(bus, 'main-ready')).toEqual({ greeting: 'Hello, World!' })
    const answer = next(bus, 'answer')
    await bus.emit('question', { command: 'fails' })
    expect(await answer).toEqual({ name: 'BusError', reason: 'CommandFailed', message: 'it broke', data: 'it broke' })
  })
})

describe('arguments', () => {
  test('can make another call while they are encoded', async () => {
    const { client } = await plain('shared')
    let inner: Promise<unknown> | undefined
    const a = { toJSON: () => ((inner ??= client.invoke('add', { a: 1, b: 1 })), 5) }
    expect(await client.invoke('add', { a, b: 6 })).toBe(11)
    expect(await inner).toBe(2)
  })

  test('are rejected when they are a Map, or a promise that was not awaited', async () => {
    const { client } = await plain('shared')
    for (const args of [new Map([['name', 'x']]), Promise.resolve({ name: 'x' })])
      await expect(client.invoke('greet', args as never)).rejects.toMatchObject({ reason: 'InvalidParams' })
  })
})

test('a call settles for every value that its handler throws', async () => {
  const { client } = await plain('shared')
  await rows(['revoked', 'named', 'getter', 'message', 'has', null, 7])(async what => {
    await expect(client.invoke('throws_odd', { what })).rejects.toMatchObject({
      name: 'BusError',
      reason: expect.stringMatching(/^(CommandFailed|InternalError)$/) as string,
    })
    expect(await client.invoke('add', { a: 1, b: 1 })).toBe(2)
  })
})

test('a command of the pool fails like any other, and rejects channels', async () => {
  const { client } = await plain('shared')
  await expect(client.invoke('heavy', { fail: 'null' })).rejects.toMatchObject({ reason: 'CommandFailed', data: null })
  await expect(client.invoke('heavy', { fail: 'yes' })).rejects.toMatchObject({ data: 'too heavy' })
  for (const fail of ['path', 'import']) {
    const error = await client.invoke('heavy', { fail }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ reason: 'CommandFailed' })
    expect(JSON.stringify([error, (error as Error).message])).not.toContain('secret')
  }
  const channel = new client.Channel()
  const refused = client.invoke('heavy', { channel })
  refused.catch(() => {})
  for await (const message of channel) expect.unreachable(String(message))
  await expect(refused).rejects.toMatchObject({ reason: 'InvalidParams' })
})

test('names can have letters of any script, digits and the characters of event names, and dots', async () => {
  const names = ['readNote', 'read_note', 'keep-note', 'notes/read', 'notes:read', 'notes.read', 'прочитать', 'read2']
  const bus = await start({ core: { commands: Object.fromEntries(names.map(name => [name, () => name])) } })
  const client = await bus.connect('tests')
  expect(await Promise.all(names.map(name => client.invoke(name)))).toEqual(names)
})

test('two commands never share a permission, whoever defines them', async () => {
  const commands = { read_note: () => 1, 'read-note': () => 2 }
  const refused = (prefix: string, permission: string) =>
    `The commands "${prefix}read_note" and "${prefix}read-note" share the permission ${permission}. Rename one of them`
  await expect(start({ core: { commands } })).rejects.toThrow(refused('', 'allow-read-note'))
  const bus = await start({ core: { commands: {} } })
  await expect(bus.addPlugin({ name: 'p', commands })).rejects.toThrow(refused('plugin:p|', 'p:allow-read-note'))
})

test('an asynchronous schema is awaited', async () => {
  const { client } = await plain('shared')
  await expect(client.invoke('unchecked')).rejects.toMatchObject({ reason: 'InvalidParams' })
})

test('unknown options of a call are rejected by name', async () => {
  const { client } = await plain('shared')
  await expect(client.invoke('add', {}, { timout: 1 } as never)).rejects.toMatchObject({
    message: 'command "add": unknown option "timout" (did you mean "timeout"?)',
  })
  for (const wrong of ['x', null, 5, [1]]) {
    await expect(client.invoke('body', {}, { headers: wrong } as never)).rejects.toMatchObject({
      reason: 'InvalidParams',
    })
  }
  // Names of a `Headers` are lower-case, as in Tauri. Those of an object stay as they are.
  const headers = new Headers({ 'X-Trace': 'abc' }) as never
  expect(await client.invoke('body', {}, { headers })).toMatchObject({ headers: { 'x-trace': 'abc' } })
  const object = { 'X-Trace': 'abc' }
  expect(await client.invoke('body', {}, { headers: object })).toMatchObject({ headers: object })
})

test('a generator is rejected as the result of invoke', async () => {
  const { client } = await plain('shared')
  await expect(client.invoke('generates')).rejects.toMatchObject({
    reason: 'InternalError',
    message: expect.stringContaining(
      'The result of command "generates" cannot be serialized: an async iterable',
    ) as string,
  })
})

test('an error of Node reaches the caller without paths', async () => {
  const { client } = await plain('shared')
  for (const what of ['spawn', 'import']) {
    const error = await client.invoke('fails_with_path', { what }).catch((thrown: unknown) => thrown)
    expect(error, what).toMatchObject({ reason: 'CommandFailed' })
    expect(JSON.stringify([error, (error as Error).message]), what).not.toContain('secret')
  }
})

describe('a value that cannot be serialized', () => {
  test('rejects the call when it is an argument, and the next call is served', async () => {
    const { client } = await plain('shared')
    await expect(client.invoke('echo', { n: 1n })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringContaining('command "echo"') as string,
    })
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    await expect(client.invoke('echo', cycle)).rejects.toMatchObject({ reason: 'InvalidParams' })
    expect(await client.invoke('add', { a: 1, b: 1 })).toBe(2)
  })

  test.each(some)('rejects the call when it is a result: %s', async (_name, connect) => {
    const { client } = await connect('shared')
    await expect(client.invoke('unsendable')).rejects.toMatchObject({
      reason: 'InternalError',
      message: expect.stringContaining('command "unsendable"') as string,
    })
    expect(await client.invoke('add', { a: 1, b: 1 })).toBe(2)
  })
})
