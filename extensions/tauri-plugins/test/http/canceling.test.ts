// Requests that end before their response: canceled, abandoned, too slow, or too many.
import { describe, expect, test } from 'vitest'
import { connect, getError } from './client.js'
import { serve, serveSockets } from './servers.js'
import { rows } from '../../../../scripts/testing.js'

const silent = () => serve(() => {})

describe('a request in flight ends', () => {
  test('if it is canceled or closed', () =>
    rows(['plugin:http|fetch_cancel', 'plugin:resources|close'])(async command => {
      const server = await silent()
      const { client, fetch } = await connect([`${server.origin}/*`])
      const rid = await fetch({ url: server.origin })
      const sent = getError(client.invoke('plugin:http|fetch_send', { rid }))
      await expect.poll(() => server.sockets.size).toBe(1)
      await client.invoke(command, { rid })
      expect(await sent).toMatchObject({ message: 'Request canceled' })
      await expect.poll(() => server.sockets.size).toBe(0)
      await expect(client.invoke('plugin:http|fetch_send', { rid })).rejects.toThrow(
        `The resource id ${rid} is invalid.`,
      )
    }))

  test('with the signal of the call', async () => {
    const server = await silent()
    const { client, fetch } = await connect([`${server.origin}/*`])
    const rid = await fetch({ url: server.origin })
    const controller = new AbortController()
    const sent = getError(client.invoke('plugin:http|fetch_send', { rid }, { signal: controller.signal }))
    await expect.poll(() => server.sockets.size).toBe(1)
    controller.abort()
    expect(await sent).toMatchObject({ reason: 'Cancelled' })
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('with its frontend or the bus', () =>
    rows<[string, (caller: Awaited<ReturnType<typeof connect>>) => Promise<void>]>([
      ['its frontend', ({ client }) => client.close()],
      ['the bus', ({ bus }) => bus.close()],
    ])(async (_name, end) => {
      const server = await silent()
      const caller = await connect([`${server.origin}/*`])
      caller.request({ url: server.origin }).catch(() => {})
      await expect.poll(() => server.sockets.size).toBe(1)
      await end(caller)
      await expect.poll(() => server.sockets.size).toBe(0)
    }))

  test('when the headers do not come in time', async () => {
    const server = await silent()
    const { request } = await connect([`${server.origin}/*`], { limits: { headersMs: 20 } })
    await expect(request({ url: server.origin })).rejects.toMatchObject({
      data: `error sending request for url (${server.origin}/)`,
    })
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('when the headers of the response are too long', async () => {
    const server = await serveSockets(socket => socket.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`))
    const { request } = await connect([`${server.origin}/*`])
    await expect(request({ url: server.origin })).rejects.toMatchObject({
      data: `error sending request for url (${server.origin}/)`,
    })
  })

  test('when the response is malformed', async () => {
    const server = await serveSockets(socket =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
    )
    const { request } = await connect([`${server.origin}/*`])
    await expect(request({ url: server.origin })).rejects.toMatchObject({
      data: `error sending request for url (${server.origin}/)`,
    })
  })

  test('when the response has informational heads without end', async () => {
    const server = await serveSockets(socket => {
      const send = (): void => {
        while (socket.writable && socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)));
      }
      socket.on('drain', send).once('data', send)
    })
    const { request } = await connect([`${server.origin}/*`])
    await expect(request({ url: server.origin })).rejects.toMatchObject({
      data: `error sending request for url (${server.origin}/)`,
    })
    await expect.poll(() => server.sockets.size).toBe(0)
  })
})

test('a request that is canceled before it is sent connects to nothing', async () => {
  const server = await silent()
  const { client, fetch } = await connect([`${server.origin}/*`])
  const rid = await fetch({ url: server.origin })
  await client.invoke('plugin:http|fetch_cancel', { rid })
  await expect(client.invoke('plugin:http|fetch_send', { rid })).rejects.toMatchObject({ data: 'Request canceled' })
  expect(server.count()).toBe(0)
})

test('a request is sent once', async () => {
  const server = await serve((_request, response) => void setImmediate(() => response.end('ok')))
  const { client, fetch } = await connect([`${server.origin}/*`])
  const rid = await fetch({ url: server.origin })
  const send = (): Promise<unknown> => client.invoke('plugin:http|fetch_send', { rid })
  const results = await Promise.allSettled([send(), send()])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(server.count()).toBe(1)
})

test('requests that are never sent are forgotten', async () => {
  const server = await silent()
  const { fetch } = await connect([`${server.origin}/*`], { limits: { idleMs: 20 } })
  // One frontend has no more of them at a time.
  await Promise.all(Array.from({ length: 1024 }, () => fetch({ url: server.origin })))
  await expect.poll(() => fetch({ url: server.origin }).catch(() => 'refused')).not.toBe('refused')
})

test('a request or body that has ended can be canceled, and a number of another kind cannot', async () => {
  const server = await serve((_request, response) => response.end('ok'))
  const { client, request, readAll } = await connect([`${server.origin}/*`])
  const { rid } = await request({ url: server.origin })
  await expect(client.invoke('plugin:http|fetch_cancel', { rid })).rejects.toThrow('invalid')
  await readAll(rid)
  for (const command of ['fetch_cancel', 'fetch_cancel_body']) await client.invoke(`plugin:http|${command}`, { rid })
})

test('more requests than connections wait, and are answered in order', async () => {
  let open = 0
  let most = 0
  const server = await serve((request, response) => {
    most = Math.max(most, ++open)
    setImmediate(() => {
      open--
      response.end(request.url)
    })
  })
  const { text } = await connect([`${server.origin}/*`], { limits: { connections: 3 } })
  const urls = Array.from({ length: 20 }, (_, index) => `/${index}`)
  expect(await Promise.all(urls.map(url => text({ url: server.origin + url })))).toEqual(urls)
  expect(most).toBeLessThanOrEqual(3)
})

test('a request that waits for a connection can be canceled', async () => {
  const server = await silent()
  const { client, fetch, request } = await connect([`${server.origin}/*`], { limits: { connections: 1 } })
  const first = getError(request({ url: server.origin }))
  await expect.poll(() => server.sockets.size).toBe(1)
  const rid = await fetch({ url: server.origin })
  const waiting = getError(client.invoke('plugin:http|fetch_send', { rid }))
  await client.invoke('plugin:http|fetch_cancel', { rid })
  expect(await waiting).toMatchObject({ message: 'Request canceled' })
  expect(server.count()).toBe(1)
  await client.close()
  expect(await first).toMatchObject({ reason: 'Disconnected' })
})

test('a request that failed leaves its connection to the next', async () => {
  const { request } = await connect(['http://127.0.0.1:1/*'], { limits: { connections: 1 } })
  for (const _ of [1, 2]) {
    const data = expect.stringMatching(/^error sending request/)
    expect(await getError(request({ url: 'http://127.0.0.1:1/' }))).toMatchObject({ data })
  }
})

test('requests that are never sent are limited', async () => {
  const server = await silent()
  const { fetch } = await connect([`${server.origin}/*`])
  await Promise.all(Array.from({ length: 1024 }, () => fetch({ url: server.origin })))
  await expect(fetch({ url: server.origin })).rejects.toMatchObject({
    data: expect.stringMatching(/^request refused: 1024 requests/),
  })
})
