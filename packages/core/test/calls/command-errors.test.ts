// Errors with codes of the application, over every route of a call, and for Tauri's client.
import { installTauri } from '@sallyport/frontend/tauri'
import { invoke as tauriInvoke } from '@tauri-apps/api/core'
import { describe, expect, test } from 'vitest'
import { CommandError, isCommandError } from '../../src/index.js'
import { fixture, routesTo, start } from '../support/start.js'
import { isMatrix } from '../../../../scripts/testing.js'

const core = fixture('calls/command-errors.mjs')
const commands = [
  'fail',
  'fail_at_once',
  'fail_at_length',
  'fail_oddly',
  'fail_wrongly',
  'fail_in_pool',
  'fail_late',
  'relay',
]

const getError = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => error,
  )

/** Each pattern and codec once: other routes differ only in their links. */
const routes = routesTo(core, commands).filter(
  ([name]) => !isMatrix || /brownfield, json|isolation, msgpack/.test(name),
)

describe.each(routes)('a command that throws a CommandError: %s', (_name, connect) => {
  test('fails with its code, message and data', async () => {
    const { client } = await connect('shared')
    const error = await getError(client.invoke('fail', { data: 'plain' }))
    expect(error).toMatchObject({ name: 'BusError', code: -32000, reason: 'CommandFailed', message: 'no such note' })
    expect((error as { data: unknown }).data).toStrictEqual({
      code: 'NOT_FOUND',
      message: 'no such note',
      data: { id: 7, at: ['a', null] },
    })
    expect(isCommandError(error, 'NOT_FOUND')).toBe(true)
    expect(isCommandError(error, 'FULL')).toBe(false)
    expect(error).toMatchObject({ commandCode: 'NOT_FOUND', commandData: { id: 7, at: ['a', null] } })

    const bare = await getError(client.invoke('fail_at_once'))
    expect((bare as { data: unknown }).data).toStrictEqual({ code: 'AT_ONCE', message: 'AT_ONCE' })

    const stream = client.stream('fail_late')
    expect(await stream.next()).toMatchObject({ value: 1 })
    expect(isCommandError(await getError(stream.next()), 'NOT_FOUND')).toBe(true)
  })

  test('fails in the pool too, and its thread keeps running', async () => {
    const { client } = await connect('shared')
    const data = { code: 'IN_POOL', message: 'too heavy' }
    await expect(client.invoke('fail_in_pool', {})).rejects.toMatchObject({ data: { ...data, data: { id: 7 } } })
    const error = await getError(client.invoke('fail_in_pool', { data: 'function' }))
    expect(error).toMatchObject({
      reason: 'CommandFailed',
      message: expect.stringContaining('cannot be serialized') as string,
      data,
    })
  })

  test('keeps its code and its message when its data cannot be serialized', async () => {
    const { client } = await connect('shared')
    for (const data of ['function', 'cycle']) {
      const error = await getError(client.invoke('fail', { data }))
      expect(error).toMatchObject({ reason: 'CommandFailed', data: { code: 'NOT_FOUND', message: 'no such note' } })
      const message = expect.stringMatching(/^no such note \(The error .* cannot be serialized: .*\)$/s) as string
      expect(error).toMatchObject({ message })
    }
    expect(isCommandError(await getError(client.invoke('fail', {})), 'NOT_FOUND')).toBe(true)
  })

  test('fails only its call when what it throws cannot be read', async () => {
    const { client } = await connect('shared')
    await expect(client.invoke('fail_oddly')).rejects.toMatchObject({ reason: 'CommandFailed' })
    await expect(client.invoke('fail_at_once')).rejects.toMatchObject({ data: { code: 'AT_ONCE' } })
  })

  test('fails only its call when the message is too long', async () => {
    const { client } = await connect('shared')
    const data = { code: 'LONG', message: expect.stringMatching(/^x{4096}$/) as string }
    const long = { message: 'x'.repeat(15 * 2 ** 20) }
    await expect(client.invoke('fail_at_length', long)).rejects.toMatchObject({ reason: 'CommandFailed', data })
    await expect(client.invoke('fail_at_once')).rejects.toMatchObject({ data: { code: 'AT_ONCE' } })
  })

  test('can have bytes as data', async () => {
    const { client } = await connect('shared')
    const error = await getError(client.invoke('fail', { data: 'bytes' }))
    if (!isCommandError<Uint8Array>(error)) throw error
    expect([...error.commandData]).toEqual([1, 2, 3])
  })

  test('reveals no stack, cause or path', async () => {
    const { client } = await connect('shared')
    const error = await getError(client.invoke('fail', { data: 'error' }))
    expect(error).toMatchObject({ data: { data: 'ENOENT: no such file or directory' } })
    expect((error as Error).cause).toBe(undefined)
    expect(`${JSON.stringify(error)}${String((error as Error).stack)}`).not.toMatch(/secret|fixtures/)
  })

  test('fails with InternalError when its code is not a string', async () => {
    const { client } = await connect('shared')
    await expect(client.invoke('fail_wrongly')).rejects.toMatchObject({
      reason: 'InternalError',
      message: 'CommandError: its code must be a string: got number',
    })
  })

  test('also fails through core when a function of a frontend throws it', async () => {
    const { client, bus } = await connect('shared')
    const unexpose = client.expose({
      refuse: () => {
        throw new CommandError('BUSY', 'later', { data: { in: 5 } })
      },
    })
    const data = { code: 'BUSY', message: 'later', data: { in: 5 } }
    await expect(bus.call('tests', 'refuse')).rejects.toMatchObject({ reason: 'CommandFailed', data })
    await expect(client.invoke('relay', {})).rejects.toMatchObject({ reason: 'CommandFailed', data })
    unexpose()
  })
})

test('a CommandError has the same members in middleware and in the caller', async () => {
  const seen: unknown[] = []
  const bus = await start({
    core: {
      commands: {
        fail: () => {
          throw new CommandError('NOT_FOUND', 'no such note', { data: { id: 7 } })
        },
      },
      use: [(_call, next) => next().catch((error: unknown) => (seen.push(error), Promise.reject(error as Error)))],
    },
  })
  seen.push(await getError((await bus.connect('main')).invoke('fail')))
  expect(seen).toHaveLength(2)
  for (const error of seen) {
    if (!isCommandError<{ id: number }>(error, 'NOT_FOUND')) throw error
    const { name, reason, code, message, commandCode, commandData } = error
    expect([name, reason, code, message]).toEqual(['BusError', 'CommandFailed', -32000, 'no such note'])
    expect([commandCode, commandData.id]).toEqual(['NOT_FOUND', 7])
  }
})

test("Tauri's client rejects with the plain value of a CommandError", async () => {
  const bus = await start({ core })
  const { uninstall } = installTauri(await bus.connect('main'))
  try {
    const value = await getError(tauriInvoke('fail', { data: 'plain' }))
    expect(value).toStrictEqual({ code: 'NOT_FOUND', message: 'no such note', data: { id: 7, at: ['a', null] } })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  } finally {
    uninstall()
  }
})
