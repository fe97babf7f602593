// Each of the example's commands, events and channels, in both patterns and both codecs.
import type { CodecName } from '@sallyport/core'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DownloadEvent } from '../core.js'
import { failure, next, start, type Running } from './start.ts'
import { choose, rows } from '../../../scripts/testing.js'

const ways: [pattern: string, codec: CodecName, hook?: string][] = [
  ['brownfield', 'json'],
  ['brownfield', 'msgpack'],
  ['isolation', 'json', '../dist-isolation'],
  ['isolation', 'msgpack', '../dist-isolation'],
]
const helloFile = `${import.meta.dirname}/../hello.txt`

describe.each(choose(ways))('%s, %s', (_pattern, codec, hook) => {
  const lines: unknown[] = []
  let bus: Running['bus']
  let client: Running['client']

  beforeAll(async () => {
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) })
    ;({ bus, client } = await start({ codec, log, ...(hook !== undefined && { hook }) }))
  })
  afterAll(() => bus.close())

  test('greet and process_data return their results', async () => {
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    expect(await client.invoke('process_data', { input: 'test' })).toBe('Processed: test')
  })

  test('read_file returns a text, or an error without the path', async () => {
    expect(await client.invoke('read_file', { path: helloFile })).toBe('Hello from a file.\n')
    expect(await failure(client.invoke('read_file', { path: '/no/such/file' }))).toMatchObject({
      reason: 'CommandFailed',
      code: -32000,
      data: 'ENOENT: no such file or directory',
    })
  })

  test('process_file rejects system paths, and paths that lead out', () =>
    rows(['/etc/passwd', '../core.js', '/tmp/../etc/passwd'])(async path => {
      expect(await failure(client.invoke('process_file', { path }))).toMatchObject({
        reason: 'CommandFailed',
        message: 'Invalid path',
        data: 'Invalid path',
      })
    }))

  test('process_file accepts other paths', async () => {
    expect(await client.invoke('process_file', { path: '/home/user/notes.txt' })).toBe('Done')
  })

  test('delete_item deletes once', async () => {
    expect(await client.invoke('delete_item', { id: 2 })).toEqual([1, 3])
    expect(await failure(client.invoke('delete_item', { id: 2 }))).toMatchObject({ data: 'There is no item 2' })
  })

  test('create_user checks its arguments before it runs', async () => {
    const user = { name: 'Ada', email: 'ada@example.org' }
    expect(await client.invoke('create_user', { args: user })).toBeNull()
    const error = await failure(client.invoke('create_user', { args: { name: 'Ada' } }))
    expect(error).toMatchObject({ reason: 'InvalidParams', message: expect.stringContaining('`args.email`') })
  })

  test('events arrive in both directions', async () => {
    const answer = await next(client, 'backend-event')
    await client.emit('frontend-event', { data: 'value' })
    expect(await answer.event).toMatchObject({ event: 'backend-event', payload: 'payload data' })
    await expect
      .poll(() => lines)
      .toContainEqual(expect.objectContaining({ worker: 'core', msg: 'frontend-event', payload: { data: 'value' } }))
  })

  test('the host receives and emits events too', async () => {
    const received = await next(bus, 'frontend-event')
    await client.emit('frontend-event', { data: 'value' })
    expect(await received.event).toMatchObject({ payload: { data: 'value' } })
    const answer = await next(client, 'from-host')
    await bus.emit('from-host', [1, 2])
    expect(await answer.event).toMatchObject({ payload: [1, 2] })
  })

  test('a removed listener receives nothing', async () => {
    const received: unknown[] = []
    const unlisten = await client.listen('backend-event', ({ payload }) => void received.push(payload))
    unlisten()
    const answer = await next(client, 'backend-event')
    await client.emit('frontend-event', {})
    await answer.event
    expect(received).toEqual([])
  })

  test('download reports its progress in order, and ends', async () => {
    const onEvent = new client.Channel<DownloadEvent>()
    const done = client.invoke('download', { url: 'https://tauri.app', onEvent })
    const messages: DownloadEvent[] = []
    for await (const message of onEvent) messages.push(message)
    expect(messages).toEqual([
      { event: 'started', data: { url: 'https://tauri.app', contentLength: 1000 } },
      ...[15, 150, 35, 500, 300].map(chunkLength => ({ event: 'progress', data: { chunkLength } })),
      { event: 'finished' },
    ])
    expect(await done).toBeNull()
  })

  test('download calls onmessage for each message, before it resolves', async () => {
    const names: string[] = []
    const onEvent = new client.Channel<DownloadEvent>(({ event }) => names.push(event))
    await client.invoke('download', { url: 'https://tauri.app', onEvent })
    expect(names).toEqual(['started', 'progress', 'progress', 'progress', 'progress', 'progress', 'finished'])
  })

  test('an unknown command rejects with MethodNotFound', async () => {
    expect(await failure(client.invoke('save_settings', {}))).toMatchObject({ reason: 'MethodNotFound' })
  })
})
