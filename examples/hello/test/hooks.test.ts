// Hooks that reject, confirm and change messages: those of Tauri's guides, unchanged, and two of our own.
import type { BusEvents, CodecName } from '@sallyport/core'
import { pino } from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { failure, next, start, type Chosen, type Running } from './start.ts'
import { choose, rows } from '../../../scripts/testing.js'

let running: Running | undefined
afterEach(() => running?.bus.close())

async function open(chosen: Chosen): Promise<Running & { rejected: BusEvents['rejected'][] }> {
  running = await start(chosen)
  const rejected: BusEvents['rejected'][] = []
  running.bus.on('rejected', event => rejected.push(event))
  return { ...running, rejected }
}

const byNull = { reason: 'Rejected', code: -32002, data: { why: 'null' } }

test('the hook that logs sees each command, event and channel, as in Tauri', async () => {
  const lines: { worker: string; msg: string }[] = []
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) })
  const { client } = await open({ hook: '../dist-isolation', log })
  await client.invoke('greet', { name: 'World' })
  await client.emit('other-event', [1])
  await client.invoke('download', { url: 'https://tauri.app', onEvent: new client.Channel() })
  const seen = () => lines.filter(({ worker }) => worker === 'gate').map(({ msg }) => msg)
  await expect
    .poll(seen)
    .toEqual([
      "hook { cmd: 'greet', callback: 1, error: 1, payload: { name: 'World' }, options: undefined }",
      expect.stringMatching(
        /^hook \{ cmd: 'plugin:event\|emit', .+ payload: \{ event: 'other-event', payload: \[ 1 \] \}/,
      ),
      expect.stringMatching(/^hook \{ cmd: 'download', .+ onEvent: '__CHANNEL__:\d+' \}/),
    ])
})

describe('the allow-list', () => {
  const chosen: Chosen = { hook: '../dist-isolation-allow-list', legacyMessages: true }

  test('passes the commands on it', async () => {
    const { client } = await open(chosen)
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
    const path = `${import.meta.dirname}/../hello.txt`
    expect(await client.invoke('read_config', { path })).toBe('Hello from a file.\n')
    expect(await failure(client.invoke('save_settings'))).toMatchObject({ reason: 'MethodNotFound' })
  })

  test('rejects other commands, and reports them to the host', async () => {
    const { client, rejected } = await open(chosen)
    const error = await failure(client.invoke('delete_item', { id: 1 }))
    expect(error).toMatchObject({ ...byNull, message: expect.stringContaining('"delete_item"') })
    await expect.poll(() => rejected).toEqual([{ label: 'tests', command: 'delete_item', why: 'null' }])
    expect(await client.invoke('greet', { name: 'again' })).toBe('Hello, again!')
  })

  test('rejects system paths', async () => {
    const { client } = await open(chosen)
    await rows(['/etc/passwd', '/usr/bin/env', '/System/Library'])(async path => {
      expect(await failure(client.invoke('read_config', { path }))).toMatchObject(byNull)
      expect(await failure(client.invoke('greet', { name: 'World', path }))).toMatchObject(byNull)
    })
  })

  test('rejects listeners, because plugin:event|listen is a command that is not on it', async () => {
    const { client } = await open(chosen)
    expect(await failure(client.listen('backend-event', () => {}))).toMatchObject(byNull)
  })

  test('passes events', async () => {
    const { bus, client } = await open(chosen)
    const received = await next(bus, 'frontend-event')
    await client.emit('frontend-event', { data: 'value' })
    expect(await received.event).toMatchObject({ payload: { data: 'value' } })
  })
})

describe('the file guard', () => {
  const chosen: Chosen = { hook: '../dist-isolation-read-file', legacyMessages: true }

  test('passes files of its directory, and rejects others', async () => {
    const { client } = await open(chosen)
    const outside = await failure(client.invoke('readFile', { path: '/etc/passwd' }))
    expect(outside).toMatchObject(byNull)
    const inside = await failure(client.invoke('readFile', { path: '/allowed/directory/a.txt' }))
    expect(inside).toMatchObject({ reason: 'CommandFailed', data: 'ENOENT: no such file or directory' })
  })

  test('without legacyMessages it checks nothing, and the log warns', async () => {
    const lines: { msg: string }[] = []
    const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) })
    const { client } = await open({ ...chosen, legacyMessages: false, log })
    expect(await client.invoke('deleteItem', { id: 1 })).toEqual([2, 3])
    expect(lines[0]?.msg).toMatch(/^index\.js reads messages as .+ set .+"legacyMessages" to true/)
  })

  test('confirm is false if the host has no onConfirm', async () => {
    const { client } = await open(chosen)
    expect(await failure(client.invoke('deleteItem', { id: 1 }))).toMatchObject(byNull)
  })

  test('confirm returns the answer of onConfirm', async () => {
    const onConfirm = vi.fn<() => boolean | Promise<boolean>>().mockReturnValueOnce(false).mockResolvedValueOnce(true)
    const { client } = await open({ ...chosen, onConfirm })
    expect(await failure(client.invoke('deleteItem', { id: 1 }))).toMatchObject(byNull)
    expect(await client.invoke('deleteItem', { id: 1 })).toEqual([2, 3])
    const question = ['Are you sure you want to delete this item?', { label: 'tests' }]
    expect(onConfirm.mock.calls).toEqual([question, question])
  })
})

describe.each(choose<CodecName>(['msgpack', 'json']))('a hook that changes messages, %s', codec => {
  const chosen: Chosen = { hook: 'dist-isolation-changes', codec }

  test('changes commands in place, completely, or to another command', async () => {
    const { client } = await open(chosen)
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, hook!')
    expect(await client.invoke('process_data', { input: '  test ' })).toBe('Processed: test')
    expect(await client.invoke('process_file', { path: 'a.txt' })).toBe('Hello, a.txt!')
  })

  test('changes events', async () => {
    const { bus, client } = await open(chosen)
    const received = await next(bus, 'frontend-event')
    await client.emit('frontend-event', { data: 'value' })
    expect(await received.event).toMatchObject({ payload: { data: 'changed' } })
  })
})

describe('a hook that rejects an event', () => {
  const chosen: Chosen = { hook: 'dist-isolation-refuses' }

  test('no listener receives it, the emit resolves, and the host gets a report', async () => {
    const { bus, client, rejected } = await open(chosen)
    const received: string[] = []
    await bus.listen('frontend-event', ({ event }) => void received.push(event))
    const other = await next(bus, 'other-event')
    await client.emit('frontend-event', { data: 'value' })
    await client.emit('other-event')
    await other.event
    expect(received).toEqual([])
    await expect.poll(() => rejected).toEqual([{ label: 'tests', command: 'plugin:event|emit', why: 'null' }])
  })

  test('a throw rejects a command, and the next one passes', async () => {
    const { client } = await open(chosen)
    const error = await failure(client.invoke('process_data', { input: 'test' }))
    expect(error).toMatchObject({ reason: 'Rejected', data: { why: 'threw' } })
    expect(error.message).not.toContain('The hook broke')
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
  })
})

test('a call that the hook passes still needs a capability', async () => {
  const { bus, client } = await open({ hook: '../dist-isolation', permissions: ['allow-greet'] })
  const denied = new Promise(resolve => bus.on('denied', resolve))
  expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, World!')
  expect(await failure(client.invoke('delete_item', { id: 1 }))).toMatchObject({
    reason: 'Denied',
    message: expect.stringMatching(/^Command delete_item not allowed by ACL/),
  })
  expect(await denied).toEqual({
    label: 'tests',
    command: 'delete_item',
    hint: 'add "delete_item" to the option "allow" of the frontend "tests", or add "allow-delete-item" to the permissions of a capability whose windows match "tests"',
    details: 'delete_item not allowed. Permissions associated with this command: allow-delete-item',
  })
})
