// Middleware around commands of a real core, in both patterns: what it can do, and the effects of its mistakes.
import { describe, expect, test } from 'vitest'
import type { BusOptions, Client } from '../../src/index.js'
import { fixture, isolation, start } from '../support/start.js'
import { choose } from '../../../../scripts/testing.js'

const commands = ['greet', 'trail', 'release', 'fails', 'heavy', 'count', 'flows', 'is-flowing']
const permissions = [...commands.map(name => `allow-${name}`), 'notes:allow-read']
const all = { identifier: 'all', windows: ['*'], permissions }
const apps: [string, Partial<BusOptions>, 'json' | 'msgpack'][] = [
  ['brownfield, json', { capabilities: [all] }, 'json'],
  ['isolation, msgpack', isolation('judge', {}, all), 'msgpack'],
]

describe.each(choose(apps))('middleware: %s', (_name, app, codec) => {
  const connect = async (): Promise<{ client: Client; via: (way: string, command?: string) => Promise<unknown> }> => {
    const bus = await start({ core: fixture('calls/around.mjs'), ...app, codec })
    const client = await bus.connect('tests')
    return {
      client,
      via: (way, command = 'greet') => client.invoke(command, { name: 'you' }, { headers: { way } }),
    }
  }

  test('sees each call of app, plugin and pool, with its outcome, in order', async () => {
    const { client } = await connect()
    expect(await client.invoke('greet', { name: 'World' })).toBe('Hello, WORLD!')
    expect(await client.invoke('plugin:notes|read')).toBe('tests')
    expect(await client.invoke('heavy', { n: 4 })).toMatchObject({ sum: 10 })
    await expect(client.invoke('fails')).rejects.toMatchObject({ reason: 'CommandFailed', message: 'it broke' })
    await expect(client.invoke('greet', { name: 5 })).rejects.toMatchObject({ reason: 'InvalidParams' })
    await client.emit('an-event')
    await expect(client.invoke('nope')).rejects.toMatchObject({ reason: 'MethodNotFound' })
    expect(await client.invoke('trail')).toEqual([
      ['ran', 'WORLD'],
      ['tests', 'greet', 'name', 'ok'],
      ['tests', 'plugin:notes|read', '', 'ok'],
      ['tests', 'heavy', 'n', 'ok'],
      ['tests', 'fails', '', 'it broke'],
      ['tests', 'greet', 'name', -32602],
    ])
  })

  test('can reject, answer itself, and replace a result', async () => {
    const { client, via } = await connect()
    await expect(via('throws an error')).rejects.toMatchObject({ reason: 'CommandFailed', data: 'not today' })
    const data = { code: 'BANNED', message: 'not you', data: { until: 5 } }
    await expect(via('throws a code')).rejects.toMatchObject({ reason: 'CommandFailed', data })
    expect(await via('answers itself')).toBe('from the cache')
    expect(await via('gives nothing')).toBe(null)
    expect(await client.invoke('trail')).not.toContainEqual(['ran', 'YOU'])
    expect(await via('replaces the result')).toEqual(['replaced', 'Hello, YOU!'])
  })

  test('cannot call next twice, or after it has ended', async () => {
    const { client, via } = await connect()
    await expect(via('calls twice')).rejects.toMatchObject({
      reason: 'InternalError',
      message: 'A middleware of command "greet" called next twice',
    })
    expect(await client.invoke('trail')).toEqual([
      ['ran', 'YOU'],
      ['tests', 'greet', 'name', -32603],
    ])
    expect(await via('calls late')).toBe('early')
    expect(await via('how late ended')).toContain('called next after it had ended')
    expect(await client.invoke('trail')).not.toContainEqual(['ran', 'YOU'])
  })

  test('does not end core when it does not await a failing next', async () => {
    const { client, via } = await connect()
    expect(await via('forgets next', 'fails')).toBe('without waiting')
    expect(await client.invoke('greet', { name: 'a' })).toBe('Hello, A!')
  })

  test('runs before the schema, which checks changed arguments', async () => {
    const { via } = await connect()
    expect(await via('changes the arguments')).toBe('Hello, CHANGED!')
    await expect(via('changes the call')).rejects.toMatchObject({ reason: 'CommandFailed' })
  })

  test('does not run the handler of a call that was cancelled meanwhile', async () => {
    const { client } = await connect()
    const controller = new AbortController()
    const { signal } = controller
    const call = client.invoke('greet', { name: 'you' }, { signal, headers: { way: 'waits first' } })
    const reason = call.catch((error: { reason: string }) => error.reason)
    await client.invoke('greet', { name: 'a' })
    controller.abort()
    expect(await reason).toBe('Cancelled')
    await client.invoke('release')
    const seen: unknown[] = []
    await expect
      .poll(async () => (seen.push(...(await client.invoke<unknown[]>('trail'))), seen))
      .toContainEqual(['tests', 'greet', 'name', -32800])
    expect(seen).not.toContainEqual(['ran', 'YOU'])
  })

  test('passes streams on, wraps them, and ends those that are not read', async () => {
    const { client } = await connect()
    const read = async (way: string, command = 'count'): Promise<unknown[]> => {
      const values = []
      for await (const value of client.stream(command, {}, { headers: { way } })) values.push(value)
      return values
    }
    expect(await read('')).toEqual([1, 2])
    expect(await read('doubles a stream')).toEqual([2, 4])
    await expect(read('throws an error')).rejects.toMatchObject({ data: 'not today' })
    for (const way of ['drops a stream', 'fails after a stream']) {
      await read(way, 'flows').catch(() => {})
      expect(await client.invoke('is_flowing')).toBe(false)
    }
    expect(await client.invoke('flows', {}, { headers: { way: 'drops a stream' } })).toBe(null)
    expect(await client.invoke('is_flowing')).toBe(false)
  })
})
