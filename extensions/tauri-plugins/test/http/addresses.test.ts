// Addresses that requests reach: private networks are closed, and a name cannot change its address between the check and the connection.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { LookupAddress } from 'node:dns'
import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, getError, join } from './client.js'
import { serve } from './servers.js'
import { rows } from '../../../../scripts/testing.js'

const refused = (url: string): object => ({ data: `url not allowed on the configured scope: ${new URL(url).href}` })

/** Answers in order, the last address for ever. */
function resolveTo(...answers: (readonly string[])[]): { lookup: never; names: string[] } {
  const names: string[] = []
  const lookup = (name: string, _options: object, callback: (error: null, found: object[]) => void): void => {
    names.push(name)
    const addresses = answers.length > 1 ? answers.shift()! : answers[0]!
    callback(
      null,
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { lookup: lookup as never, names }
}

const serveOk = () => serve((_request, response) => void response.end('ok'))

describe('with a pattern for all hosts, nothing is connected to', () => {
  test('this machine, in any spelling', () =>
    rows([
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '①②⑦.0.0.1',
      'localhost',
      'LOCALHOST.',
      'a.localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '0.0.0.0',
      '[::]',
    ])(async host => {
      const server = await serveOk()
      const { request } = await connect(['http://*:*/*'])
      const url = `http://${host}:${server.port}/`
      await expect(request({ url })).rejects.toMatchObject({
        data: expect.stringContaining('url not allowed on the configured scope: '),
      })
      expect(server.count()).toBe(0)
    }))

  test('a name with a private or invalid address', () =>
    rows([
      ['a private address', ['127.0.0.1']],
      ['a private and a public address', ['93.184.216.34', '127.0.0.1']],
      ['a mapped address', ['::ffff:127.0.0.1']],
      ['an address of NAT64', ['64:ff9b::7f00:1']],
      ['a link-local address with a zone', ['fe80::1%lo']],
      ['an invalid address', ['x']],
    ])(async (_name, addresses) => {
      const server = await serveOk()
      const { lookup } = resolveTo(addresses)
      const { request } = await connect(['http://*:*/*', `http://evil.example:${server.port}`], { lookup })
      const url = `http://evil.example:${server.port}/`
      await expect(request({ url })).rejects.toMatchObject(refused(url))
      expect(server.count()).toBe(0)
    }))

  test('a name that resolves to another address the second time', async () => {
    const server = await serveOk()
    // The first address belongs to a network for documentation, which has no hosts.
    const { lookup, names } = resolveTo(['192.0.2.1'], ['127.0.0.1'])
    const options = { lookup, privateNetworks: ['192.0.2.0/24'], limits: { connectMs: 50 } }
    const { request } = await connect(['http://*:*/*'], options)
    const url = `http://evil.example:${server.port}/`
    await expect(request({ url })).rejects.toMatchObject({ data: `error sending request for url (${url})` })
    expect(names).toEqual(['evil.example'])
    await expect(request({ url })).rejects.toMatchObject(refused(url))
    expect(server.count()).toBe(0)
  })
})

describe('a private address is reached', () => {
  test('if a pattern or the private networks name it', () =>
    rows([
      ['by a pattern with its IP address', 'http://127.0.0.1:*', '127.0.0.1', {}],
      ['by a pattern with localhost', 'http://localhost:*', 'localhost', {}],
      ['by its name among the private networks', 'http://*:*', 'db.internal', { privateNetworks: ['db.internal'] }],
      ['by its address among the private networks', 'http://*:*', 'other.internal', { privateNetworks: ['127.0.0.1'] }],
      ['by its subnet among the private networks', 'http://*:*', '127.0.0.1', { privateNetworks: ['127.0.0.0/8'] }],
    ])(async (_name, pattern, host, options) => {
      const server = await serveOk()
      const { text } = await connect([pattern], {
        ...options,
        lookup: resolveTo(['127.0.0.1']).lookup,
      })
      expect(await text({ url: `http://${host}:${server.port}/` })).toBe('ok')
    }))

  test('by a thread that was busy when the host answered', async () => {
    const server = await serveOk()
    const { text } = await connect(['http://localhost:*'])
    const block = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
    // The event loop runs timers next, before it reads.
    const watch = (message: unknown): void =>
      void (message as { socket: Socket }).socket.once('connectionAttempt', () => process.nextTick(block))
    subscribe('net.client.socket', watch)
    onTestFinished(() => void unsubscribe('net.client.socket', watch))
    expect(await text({ url: `http://localhost:${server.port}/` })).toBe('ok')
  })

  test('but not by the name of another host', async () => {
    const server = await serveOk()
    const { lookup } = resolveTo(['127.0.0.1'])
    const { request } = await connect(['http://*:*'], { privateNetworks: ['db.internal', '10.0.0.0/8'], lookup })
    const url = `http://other.internal:${server.port}/`
    await expect(request({ url })).rejects.toMatchObject(refused(url))
  })
})

test('a frontend resolves two names at a time, however many requests it cancels, and does not delay another frontend', async () => {
  const lookups: [string, (error: null, addresses: LookupAddress[]) => void][] = []
  const { bus, fetch, client } = await connect(['http://*/*'], {
    lookup: (name, _options, callback) => void lookups.push([name, callback]),
  })
  const names = (): string[] => lookups.map(([name]) => name)
  const send = async (host: string): Promise<number> => {
    const rid = await fetch({ url: `http://${host}/` })
    void getError(client.invoke('plugin:http|fetch_send', { rid }))
    return rid
  }
  const rids = [await send('a.example'), await send('b.example')]
  await expect.poll(names).toEqual(['a.example', 'b.example'])
  for (const rid of rids) await client.invoke('plugin:http|fetch_cancel', { rid })
  for (let count = 0; count < 20; count++)
    await expect(
      client.invoke('plugin:http|fetch_send', { rid: await fetch({ url: 'http://c.example/', connectTimeout: 1 }) }),
    ).rejects.toMatchObject({ data: 'error sending request for url (http://c.example/)' })
  const last = await send('d.example')
  const other = await join(bus, 'other')
  const refusal = getError(other.request({ url: 'http://e.example/' }))
  await expect.poll(names).toEqual(['a.example', 'b.example', 'e.example'])
  lookups[2]![1](null, [{ address: '10.0.0.1', family: 4 }])
  expect(await refusal).toMatchObject({ data: expect.stringContaining('url not allowed') })
  lookups[0]![1](null, [{ address: '10.0.0.1', family: 4 }])
  await expect.poll(names).toEqual(['a.example', 'b.example', 'e.example', 'd.example'])
  await client.invoke('plugin:http|fetch_cancel', { rid: last })
})
