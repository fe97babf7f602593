// Bodies of responses: read when the frontend asks, limited, and closed with everything that ends them.
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { connect, getError, join } from './client.js'
import { serve, serveSockets } from './servers.js'
import { rows } from '../../../../scripts/testing.js'

const MIB = 1024 * 1024

test('nothing is read before the frontend asks, beyond the buffers of the connection', async () => {
  const total = 64 * MIB
  let sent = 0
  const server = await serve((request, response) => {
    if (request.url !== '/large') return void response.end('small')
    const send = (): void => {
      while (sent < total) {
        sent += 65_536
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', send)
      }
      response.end()
    }
    send()
  })
  const { request, read, readAll, text } = await connect([`${server.origin}/*`])
  const { rid } = await request({ url: `${server.origin}/large` })
  const first = await read(rid)
  expect(first.length).toBeLessThanOrEqual(256 * 1024 + 1)
  // The server has time to send everything.
  for (let i = 0; i < 30; i++) await text({ url: `${server.origin}/small` })
  expect(sent).toBeLessThan(total / 2)
  expect(first.length - 1 + (await readAll(rid)).length).toBe(total)
})

test('the bytes of an encoded body arrive as the server sent them', async () => {
  const bytes = gzipSync('hello')
  const server = await serve((_request, response) => response.setHeader('content-encoding', 'gzip').end(bytes))
  const { request, readAll } = await connect([`${server.origin}/*`])
  const { rid, headers } = await request({ url: server.origin })
  expect(headers).toContainEqual(['content-encoding', 'gzip'])
  expect(await readAll(rid)).toEqual(bytes)
})

describe('a body is closed', () => {
  const endless = () =>
    serve((_request, response) => {
      const send = (): void => {
        if (!response.destroyed && response.write(Buffer.alloc(65_536))) setImmediate(send)
        else response.once('drain', send)
      }
      send()
    })

  test('when it exceeds the limit', async () => {
    const server = await endless()
    const { request, readAll } = await connect([`${server.origin}/*`], { limits: { responseBytes: MIB } })
    const { rid } = await request({ url: server.origin })
    await expect(readAll(rid)).rejects.toMatchObject({
      data: `response body exceeded ${MIB} bytes. Request a part of it with a "range" header.`,
    })
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('when the frontend does not read it', async () => {
    const server = await endless()
    const { request, read } = await connect([`${server.origin}/*`], { limits: { idleMs: 1000 } })
    const { rid } = await request({ url: server.origin })
    await expect.poll(() => server.sockets.size).toBe(0)
    await expect(read(rid)).rejects.toThrow(`The resource id ${rid} is invalid.`)
  })

  test('when a read waits too long', async () => {
    const server = await serve((_request, response) => response.writeHead(200).flushHeaders())
    const { request, read } = await connect([`${server.origin}/*`], { limits: { idleMs: 1000 } })
    const { rid } = await request({ url: server.origin })
    await expect(read(rid)).rejects.toMatchObject({ data: 'response body timed out after 1000 ms' })
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('if it is canceled or closed, and a read that waits rejects', () =>
    rows(['plugin:http|fetch_cancel_body', 'plugin:resources|close'])(async command => {
      const server = await serve((_request, response) => response.writeHead(200).flushHeaders())
      const { client, request, read } = await connect([`${server.origin}/*`])
      const { rid } = await request({ url: server.origin })
      const waiting = getError(read(rid))
      await client.invoke(command, { rid })
      expect(await waiting).toMatchObject({ message: 'Request canceled' })
      await expect.poll(() => server.sockets.size).toBe(0)
      await expect(read(rid)).rejects.toThrow(`The resource id ${rid} is invalid.`)
    }))

  test('with its frontend', async () => {
    const server = await endless()
    const { client, bus, request } = await connect([`${server.origin}/*`])
    await request({ url: server.origin })
    await client.close()
    await expect.poll(() => server.sockets.size).toBe(0)
    await expect(bus.stats()).resolves.toBeDefined()
  })

  test('with the bus', async () => {
    const server = await endless()
    const { bus, request } = await connect([`${server.origin}/*`])
    await request({ url: server.origin })
    await bus.close()
    await expect.poll(() => server.sockets.size).toBe(0)
  })

  test('with the connection, and a read rejects', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('half')
      setImmediate(() => response.destroy())
    })
    const { request, readAll } = await connect([`${server.origin}/*`])
    const { rid } = await request({ url: server.origin })
    await expect(readAll(rid)).rejects.toMatchObject({
      data: `error decoding response body for url (${server.origin}/)`,
    })
  })

  test('at once for a status without a body', () =>
    rows([204, 205, 304])(async status => {
      const server = await serve((_request, response) => void response.writeHead(status).end())
      const { request } = await connect([`${server.origin}/*`])
      expect((await request({ url: server.origin })).status).toBe(status)
      await expect.poll(() => server.sockets.size).toBe(0)
    }))

  test('at once for an upgrade without a request for it', async () => {
    const server = await serveSockets(socket => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nraw'),
      )
    })
    const { request } = await connect([`${server.origin}/*`])
    expect((await request({ url: server.origin })).status).toBe(101)
    await expect.poll(() => server.sockets.size).toBe(0)
  })
})

test('two reads at a time are refused', async () => {
  const server = await serve((_request, response) => response.writeHead(200).flushHeaders())
  const { request, read, client } = await connect([`${server.origin}/*`])
  const { rid } = await request({ url: server.origin })
  const first = getError(read(rid))
  await expect(read(rid)).rejects.toMatchObject({
    data: 'another read of this response body is in flight. Wait for its result.',
  })
  await client.invoke('plugin:http|fetch_cancel_body', { rid })
  expect(await first).toMatchObject({ message: 'Request canceled' })
})

test('the number of a body is invalid for another frontend, and after its end', async () => {
  const server = await serve((_request, response) => void response.end('ok'))
  const { bus, request, read, readAll } = await connect([`${server.origin}/*`])
  const other = await join(bus, 'other')
  const { rid } = await request({ url: server.origin })
  await expect(other.read(rid)).rejects.toThrow(`The resource id ${rid} is invalid.`)
  await readAll(rid)
  await expect(read(rid)).rejects.toThrow(`The resource id ${rid} is invalid.`)
})

// `data:` URLs of hostile frontends: the plugin answers them itself, so their cost is core's.
describe('data: URLs', () => {
  test('a data: URL with a long media type is refused', async () => {
    const { request } = await connect([])
    await expect(request({ url: `data:text/plain${' '.repeat(MIB / 2)}x,` })).rejects.toMatchObject({
      data: 'failed to process data url',
    })
  })

  test('data: URLs are decoded as browsers do', () =>
    rows([
      ['data:,%41%4g%4', 'A%4g%4'],
      ['data:,%6a%E2%82%AC', 'j€'],
      ['data:,%', '%'],
      ['data:;base64,YWI%3D', 'ab'],
      ['data:;base64,Y%20WI=', 'ab'],
      ['data:;base64,YWI', 'ab'],
    ])(async (url, body) => {
      expect(await (await connect([])).text({ url })).toBe(body)
    }))

  test('malformed base64 is refused', () =>
    rows(['Y', 'YW=I', 'YWI==', 'YW-_', 'Y!I=', '===='])(async base64 => {
      const { request } = await connect([])
      await expect(request({ url: `data:;base64,${base64}` })).rejects.toMatchObject({
        data: 'failed to decode data url into bytes',
      })
    }))

  const REFUSED = { data: expect.stringMatching(/^request refused: 1024 requests, or 67108864 bytes/) }

  const LONGEST = `data:,${'a'.repeat(MIB - 6)}`

  test('a data: URL of more than 1 MiB is refused', async () => {
    const { fetch } = await connect([])
    await expect(fetch({ url: `${LONGEST}a` })).rejects.toMatchObject({
      data: expect.stringMatching(/^url exceeded 1048576/),
    })
  })

  test('data: URLs count as bodies until they are sent', async () => {
    const { fetch } = await connect([])
    for (let count = 0; count < 64; count++) await fetch({ url: LONGEST })
    await expect(fetch({ url: 'data:,' })).rejects.toMatchObject(REFUSED)
  })

  test('data: URLs count as bodies until they are read', async () => {
    const { client, fetch, request } = await connect([])
    const { rid } = await request({ url: LONGEST })
    for (let count = 0; count < 63; count++) await request({ url: LONGEST })
    await expect(fetch({ url: 'data:,' })).rejects.toMatchObject(REFUSED)
    await client.invoke('plugin:http|fetch_cancel_body', { rid })
    expect(await fetch({ url: 'data:,' })).toEqual(expect.any(Number))
  })
})
