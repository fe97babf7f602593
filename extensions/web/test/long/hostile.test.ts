// Requests that no page of ours makes: of other sites, with forged tokens, for files outside of the directory, too large, too many, too
// slow.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import type { BusEvents } from '@sallyport/core'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { call, connect, get, type Served, serve, tryConnect } from '../raw.ts'
import { rows } from '../../../../scripts/testing.js'

let served: Served
afterEach(() => served.close())

describe('a request', () => {
  beforeEach(async () => {
    served = await serve()
  })
  const fetchPage = (path: string, headers: Record<string, string> = {}, method?: string) =>
    get(served.port, path, { cookie: served.cookie, ...headers }, method)

  test('moves the token to a cookie that scripts and other sites do not get', async () => {
    const { port, token } = served
    const { status, headers } = await get(port, `/sub/?token=${token}&a=1`)
    expect([status, headers.location]).toEqual([303, '/sub/?a=1'])
    expect(headers['set-cookie']).toEqual([`sallyport-${port}-main=${token}; Path=/; HttpOnly; SameSite=Strict`])
    expect(token).toMatch(/^[\w-]{43}$/)
    expect((await get(port, `//evil.example/?token=${token}`)).headers.location).toBe('/evil.example/')
    expect((await get(port, `/sallyport?token=${token}`)).headers.location).toBe('/')
  })

  test('is refused with a forged token, or none', async () => {
    const { port, token } = served
    const forged = (token.startsWith('A') ? 'B' : 'A') + token.slice(1)
    for (const path of ['/', '/?token=', `/?token=${forged}`, '/sallyport/page.js', '/none']) {
      const { status, headers, text } = await get(port, path)
      expect([status, text], path).toEqual([401, expect.stringContaining('The token is missing or wrong')])
      expect(headers['set-cookie'], path).toBeUndefined()
      // Otherwise a page of another site keeps the connections of all pages.
      expect(headers.connection, path).toBe('close')
    }
    expect((await fetchPage(`/?token=${forged}`)).status, 'a parameter of the page itself').toBe(200)
    const others = [`sallyport-${port}-main=${forged}`, `sallyport-1-main=${token}`, `sallyport-${port}-main`, '=;;=']
    for (const cookie of others) expect((await get(port, '/', { cookie })).status, cookie).toBe(401)
  })

  test('is refused for another host, another site or another method', async () => {
    const { port, token } = served
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`]) {
      expect((await fetchPage('/', { host })).status, host).toBe(403)
      expect((await get(port, `/?token=${token}`, { host })).status, host).toBe(403)
    }
    expect((await fetchPage('/', { host: `localhost:${port}` })).status).toBe(200)
    for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${port + 1}`, `https://127.0.0.1:${port}`]) {
      expect((await fetchPage('/', { origin })).status, origin).toBe(403)
    }
    for (const site of ['cross-site', 'same-site']) {
      expect((await fetchPage('/', { 'sec-fetch-site': site })).status, site).toBe(403)
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await fetchPage('/', {}, method)).status, method).toBe(405)
    }
  })

  test('is of one origin by each spelling of loopback, and a refusal names what it saw and the option', async () => {
    await served.close()
    served = await serve({ origins: ['http://localhost:5173', 'https://app.example'] })
    const { port, cookie } = served
    const ask = (host: string, headers: Record<string, string>) => get(port, '/', { cookie, host, ...headers })
    for (const name of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST', 'localhost.']) {
      for (const host of [`${name}:5173`, `${name}:${port}`]) {
        const headers = { cookie, host, origin: `http://${name}:5173` }
        expect((await ask(host, headers)).status, host).toBe(200)
        expect(await tryConnect(port, headers), host).toBe(101)
      }
    }
    for (const host of [
      'localhost.evil.example:5173',
      'evil@localhost:5173',
      '127.0.0.2:5173',
      '127.1:5173',
      '2130706433:5173',
      '0.0.0.0:5173',
      '[::2]:5173',
      'localhost:5174',
    ]) {
      const { status, text } = await ask(host, {})
      expect([status, text], host).toEqual([403, expect.stringContaining(`"${host}"`)])
      expect((await ask('localhost:5173', { origin: `http://${host}` })).status, host).toBe(403)
      expect(await tryConnect(port, { cookie, origin: `http://${host}` }), host).toBe(403)
    }
    expect((await ask('x-5173.github.dev', {})).text).toContain("origins: ['https://x-5173.github.dev']")
    const { text } = await ask('localhost:5173', { origin: 'http://10.0.0.7:5173' })
    expect(text).toContain('The origin "http://10.0.0.7:5173" is not allowed')
    expect(text).toContain("origins: ['http://10.0.0.7:5173']")
    expect((await ask('localhost:5173', { origin: 'null' })).text).not.toContain('origins')
    const long = (await ask('localhost:5173', { origin: `http://${'x'.repeat(5000)}` })).text
    expect(long.length).toBeLessThan(500)
  })

  test('is answered although a page of another port has set many cookies', async () => {
    const cookies = Array.from({ length: 60 }, (_, n) => `toss${n}=${'x'.repeat(900)}`)
    expect((await fetchPage('/', { cookie: [...cookies, served.cookie].join('; ') })).status).toBe(200)
  })

  test('is refused for the script of a service worker', async () => {
    const { port, token } = served
    const script = { 'service-worker': 'script', 'sec-fetch-dest': 'serviceworker' }
    expect((await fetchPage('/sub/a%20b.txt', script)).status).toBe(403)
    expect((await fetchPage('/sallyport/page.js', script)).status).toBe(403)
    expect((await get(port, `/?token=${token}`, script)).status).toBe(403)
  })

  test('is answered with a part of a file', async () => {
    writeFileSync(join(served.dir, 'video.mp4'), '0123456789')
    const file = await fetchPage('/video.mp4')
    expect([file.status, file.text, file.headers['accept-ranges']]).toEqual([200, '0123456789', 'bytes'])
    for (const [range, part, place] of [
      ['bytes=2-4', '234', '2-4/10'],
      ['bytes=7-', '789', '7-9/10'],
      ['bytes=-3', '789', '7-9/10'],
      ['bytes=-99', '0123456789', '0-9/10'],
      ['bytes=8-99', '89', '8-9/10'],
    ] as const) {
      const { status, headers, text } = await fetchPage('/video.mp4', { range })
      expect([status, text, headers['content-range']], range).toEqual([206, part, `bytes ${place}`])
      expect(headers).toMatchObject({ 'content-length': `${part.length}`, 'content-type': 'video/mp4' })
    }
    for (const range of ['bytes=10-', 'bytes=-0']) {
      const { status, headers } = await fetchPage('/video.mp4', { range })
      expect([status, headers['content-range']], range).toEqual([416, 'bytes */10'])
    }
    for (const range of ['bytes=4-2', 'bytes=-', 'bytes=a-b', 'bytes=0-1,3-4', 'lines=0-1']) {
      expect((await fetchPage('/video.mp4', { range })).status, range).toBe(200)
    }
    expect((await fetchPage('/video.mp4', { range: 'bytes=0-1' }, 'HEAD')).status).toBe(200)
    expect((await fetchPage('/', { range: 'bytes=0-1' })).status, 'a page has a script added').toBe(200)
  })

  test('is answered with the whole file if the part is of an older one', async () => {
    const modified = (await fetchPage('/sub/a%20b.txt')).headers['last-modified']!
    const ask = async (ifRange: string) =>
      (await fetchPage('/sub/a%20b.txt', { range: 'bytes=0-1', 'if-range': ifRange })).status
    expect(await ask(modified)).toBe(206)
    expect(await ask(new Date(0).toUTCString())).toBe(200)
    expect(await ask('"tag"')).toBe(200)
  })

  test('adds the script to a page after comments and into the head', () =>
    rows([
      ['<!-- the <head> is below --><html><head>', '<title>'],
      ['\ufeff<!doctype html>\n<!--> <html lang="a>b">\n<head data-a=\'>\'>', '<title>'],
      ['<!-- a --!>', '<!-- b'],
      ['', '<p>No head, <head> is text in an attribute: <p title="<head>">'],
      ['', '<header>'],
    ])(async (before, after) => {
      writeFileSync(join(served.dir, 'page.html'), before + after)
      const { text } = await fetchPage('/page.html')
      expect(text).toBe(`${before}<script src="/sallyport/page.js"></script>${after}`)
    }))

  test('adds the script to a page that begins with 20 MB of the same', () =>
    rows([
      ['white space', '', ' '],
      ['an attribute', '<html a', 'x'],
    ])(async (_what, start, character) => {
      const page = start + character.repeat(20_000_000)
      writeFileSync(join(served.dir, 'page.html'), page)
      const { status, text } = await fetchPage('/page.html')
      const script = '<script src="/sallyport/page.js"></script>'
      expect([status, text.split(script).join('') === page, text.includes(script)]).toEqual([200, true, true])
    }))

  test('has only the policy of the host if that sets one', async () => {
    await served.close()
    served = await serve({ page: { csp: "frame-ancestors 'self'" } })
    const { headers } = await fetchPage('/')
    expect(headers['content-security-policy']).toBe("frame-ancestors 'self'")
    expect(headers['x-frame-options']).toBeUndefined()
  })

  test('is ended when its client does not read the file, and makes room for others', async () => {
    await served.close()
    served = await serve({ maxConnections: 1, heartbeat: 50 })
    const { cookie, dir, port } = served
    writeFileSync(join(dir, 'large.bin'), Buffer.alloc(2 ** 24))
    const head = `GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`
    const clients = Array.from({ length: 65 }, () =>
      connectSocket(port, '127.0.0.1')
        .pause()
        .on('error', () => {}),
    )
    for (const client of clients) client.write(head)
    await Promise.all(clients.map(client => once(client, 'connect')))
    await expect
      .poll(() =>
        fetchPage('/').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200)
    for (const client of clients) client.destroy()
  })

  test('gets a page with a strict policy, and its script', async () => {
    const { status, headers, text } = await fetchPage('/')
    expect([status, text]).toEqual([
      200,
      '<!doctype html><html><head><script src="/sallyport/page.js"></script><title>Page</title></head></html>',
    ])
    expect(headers['content-security-policy']).toMatch(/^default-src 'self'; .*frame-ancestors 'none'$/)
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    expect((await fetchPage('/sallyport/page.js')).text).toMatch(/^\{const SALLYPORT_GREETING=\{"label":"main"/)
    const file = await fetchPage('/sub/a%20b.txt', {}, 'HEAD')
    expect([file.status, file.headers['content-length'], file.text]).toEqual([200, '4', ''])
  })

  test('finds no file outside, hidden, or with a wrong name', () =>
    rows([
      '/../secret.txt',
      '/sub/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/sub/..%2f..%2fsecret.txt',
      '/..\\secret.txt',
      '/%5c..%5csecret.txt',
      '//secret.txt',
      '/link.txt',
      '/up/secret.txt',
      '/env.txt',
      '/.env',
      '/%2eenv',
      '/.git/config',
      '/sub',
      '/sub/',
      '/index.html%00.txt',
      '/%',
      '/%ff',
      '/index.html:stream',
      '/none.html',
    ])(async path => {
      const { status, text } = await fetchPage(path)
      expect([status, text]).toEqual([404, 'There is no such file.\n'])
    }))

  test('is disconnected if it never ends its headers or its body', async () => {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n'
    const sockets = ['', `${head}X-Slow: `, `${head}Content-Length: 1000000\r\n\r\n`].map(text => {
      const socket = connectSocket(served.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(text)
      return socket.resume()
    })
    let closed = 0
    for (const socket of sockets) socket.once('close', () => closed++)
    await expect.poll(() => (sockets.slice(1).forEach(socket => void socket.write('x')), closed)).toBe(sockets.length)
  })
})

describe('a WebSocket', () => {
  const toHeaders = ({ port, cookie }: Served) => ({ cookie, origin: `http://127.0.0.1:${port}` })

  test('is refused for another origin, another host, a forged token, another path', async () => {
    served = await serve()
    const { port, cookie } = served
    const headers = toHeaders(served)
    expect(await tryConnect(port, headers)).toBe(101)
    for (const origin of [
      'http://evil.example',
      'null',
      `http://127.0.0.1:${port + 1}`,
      `http://127.0.0.1.evil:${port}`,
    ]) {
      expect(await tryConnect(port, { cookie, origin }), origin).toBe(403)
    }
    expect(await tryConnect(port, { cookie })).toBe(403)
    expect(await tryConnect(port, { ...headers, host: 'evil.example' })).toBe(403)
    expect(await tryConnect(port, { ...headers, cookie: `${cookie}x` })).toBe(4401)
    expect(await tryConnect(port, { origin: headers.origin })).toBe(4401)
    for (const path of ['/', '/sallyport/x']) expect(await tryConnect(port, headers, path), path).toBe(404)
    for (const tab of [[], 'a.b', 'a'.repeat(65), ['a', 'b']]) {
      expect(await tryConnect(port, headers, '/sallyport', tab), String(tab)).toBe(404)
    }
    expect(await tryConnect(port, headers, '/sallyport?tab=a', []), 'logs have the URL').toBe(404)
  })

  describe('from a stranger', () => {
    /** Sends a handshake without a cookie, what follows it, and never closes. */
    const openAsStranger = (...chunks: Buffer[]): Socket => {
      const host = `127.0.0.1:${served.port}`
      const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=='
      const head = `Host: ${host}\r\nOrigin: http://${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}`
      const socket = connectSocket(served.port, '127.0.0.1').on('error', () => {})
      socket.write(`GET /sallyport HTTP/1.1\r\n${head}\r\nSec-WebSocket-Protocol: stranger\r\n\r\n`)
      for (const chunk of chunks) socket.write(chunk)
      return socket
    }

    test('takes no memory for what it sends', async () => {
      served = await serve()
      // A message of 15 fragments that never ends.
      const start = Buffer.from([0x02, 0xff, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0])
      const fragment = Buffer.concat([start, Buffer.alloc(2 ** 20)])
      const next = Buffer.from(fragment)
      next[0] = 0
      const before = process.memoryUsage().arrayBuffers
      const strangers = Array.from({ length: 10 }, () => openAsStranger(fragment, ...Array<Buffer>(14).fill(next)))
      const ends = strangers.map(async stranger => {
        stranger.resume()
        await new Promise<void>(resolve => {
          stranger.once('close', () => resolve())
          stranger.write('', () => resolve())
        })
      })
      await Promise.all(ends)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
      for (const stranger of strangers) stranger.destroy()
    })

    test('is opened for few of them only, and closed by the server', async () => {
      served = await serve({ maxHandshakes: 100 })
      const strangers = Array.from({ length: 40 }, () => openAsStranger())
      const closed = strangers.map(stranger => new Promise(resolve => stranger.once('close', resolve)))
      const answers = await Promise.all(strangers.map(async stranger => String((await once(stranger, 'data'))[0])))
      const count = (status: string): number => answers.filter(answer => answer.startsWith(`HTTP/1.1 ${status}`)).length
      expect(count('101')).toBeGreaterThanOrEqual(16)
      expect(count('401')).toBeGreaterThan(0)
      await Promise.all(closed)
    })

    test('is limited as those of pages are, without using up their limit', async () => {
      served = await serve({ maxHandshakes: 1 })
      const origin = `http://127.0.0.1:${served.port}`
      const codes = await Promise.all(Array.from({ length: 10 }, () => tryConnect(served.port, { origin })))
      expect(codes).toContain(4401)
      expect(codes).toContain(401)
      expect(await tryConnect(served.port, toHeaders(served))).toBe(101)
    })
  })

  test('is limited to a number of pages, and of pages that connect concurrently', async () => {
    served = await serve({ maxConnections: 3, maxHandshakes: 5, page: { multiple: true } })
    const pages = await Promise.all([connect(served), connect(served), connect(served)])
    expect(new Set(pages.map(({ greeting }) => greeting['label']))).toEqual(new Set(['main', 'main-2', 'main-3']))
    expect(await tryConnect(served.port, toHeaders(served))).toBe(503)
    for (const { socket } of pages) socket.terminate()
    await expect.poll(async () => (await served.bus.stats()).frontends['main']!.state).toBe('disconnected')
    const statuses = await Promise.all(Array.from({ length: 20 }, () => tryConnect(served.port, toHeaders(served))))
    expect(statuses).toContain(429)
  })

  test('cannot keep the pages of another label from connecting', async () => {
    served = await serve({
      maxConnections: 2,
      maxHandshakes: 2,
      frontends: { greedy: { multiple: true }, other: {} },
    })
    const getHeaders = (label: string): Record<string, string> => {
      const url = new URL(served.web.urls[label]!)
      return { cookie: `sallyport-${url.port}-${label}=${url.searchParams.get('token')}`, origin: url.origin }
    }
    const getPort = (label: string): number => Number(new URL(served.web.urls[label]!).port)
    const greedy = await Promise.all(
      Array.from({ length: 5 }, (_, n) => tryConnect(getPort('greedy'), getHeaders('greedy'), '/sallyport', `t${n}`)),
    )
    expect(greedy.filter(status => status === 429 || status === 503)).toHaveLength(3)
    expect(await tryConnect(getPort('other'), getHeaders('other'))).toBe(101)
  })

  test('is disconnected if it sends a message over the limit, and the host gets the reason once', async () => {
    served = await serve({ maxMessageBytes: 2 ** 20 + 2 ** 16 })
    const faults: BusEvents['fault'][] = []
    served.bus.on('fault', fault => faults.push(fault))
    const part = new Uint8Array(1 + 2 ** 20).fill(0x85, 0, 1)
    const attachment = new Uint8Array(1 + 2 ** 16).fill(5, 0, 1)
    for (const [messages, code, reason] of [
      [[call(2, 'x'.repeat(2 ** 21))], 1009, 'Max payload size exceeded'],
      [[part, part], 1005, 'a message of more than 1114112 bytes'],
      [[part, attachment, attachment], 1005, 'a message of more than 1114112 bytes'],
      [[part, call(3, 'a')], 1005, 'a frame in another one'],
      [[part.subarray(0, 100)], 1005, 'invalid kind of frame'],
    ] as const) {
      const page = await connect(served)
      expect(await page.ask(call(1, 'a'))).toContain('"result":"a"')
      for (const message of messages) page.socket.send(message)
      expect(await page.closed).toBe(code)
      await expect.poll(() => faults.length).toBe(1)
      const { label, error } = faults.pop()!
      const text = `The link of frontend "main" failed: The peer violated the protocol of the WebSocket: ${reason}`
      // A logger appends the texts of causes.
      expect([label, error.message, error.cause]).toEqual(['main', text, undefined])
    }
    expect(await (await connect(served)).ask(call(1, 'again'))).toContain('"result":"again"')
  })

  test('is disconnected if all pages together hold too many bytes of incomplete messages', async () => {
    const attachment = new Uint8Array(1 + 2 ** 23).fill(5, 0, 1)
    served = await serve({ maxMessageBytes: 2 ** 23, page: { multiple: true } })
    const faults: BusEvents['fault'][] = []
    served.bus.on('fault', fault => faults.push(fault))
    const pages = []
    for (let n = 0; n < 5; n++) {
      const page = await connect(served)
      page.socket.send(attachment)
      page.socket.ping()
      await once(page.socket, 'pong')
      pages.push(page)
    }
    const last = await connect(served)
    expect(await last.ask(call(1, 'a'))).toContain('"result":"a"')
    last.socket.send(attachment)
    await last.closed
    await expect.poll(() => faults.length).toBe(1)
    expect(faults[0]!.error.message).toContain('Incomplete messages of all pages of a label exceeded 41943040 bytes')
    // A page that leaves makes room for others.
    pages[0]!.socket.close()
    await pages[0]!.closed
    const next = await connect(served)
    next.socket.send(attachment)
    next.socket.ping()
    await once(next.socket, 'pong')
    expect(next.socket.readyState).toBe(next.socket.OPEN)
  })

  test('loses its session if it sends what is no message, and the bus keeps running', async () => {
    served = await serve()
    await rows({
      'malformed JSON': 'no json',
      'an empty binary message': new Uint8Array(),
      'an unknown kind of frame': Uint8Array.of(9, 1),
      'a record, which only a gate may send': Uint8Array.of(3, 1, 2, 3),
      'invalid MessagePack': Uint8Array.of(2, 0xc1),
      'a reply to nothing': '[]',
    })(async message => {
      const page = await connect(served)
      page.socket.send(message)
      await page.closed
      const next = await connect(served)
      expect(await next.ask(call(1, 'still here'))).toContain('still here')
      next.socket.close()
      await next.closed
    })
  })

  test('takes bounded memory if it never reads: events are dropped', async () => {
    served = await serve({ heartbeat: 60_000 })
    const page = await connect(served)
    const listen = { event: 'tick', target: { kind: 'Any' } }
    await page.ask(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'plugin:event|listen', params: listen }))
    page.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    const text = 'x'.repeat(100_000)
    for (let n = 0; n < 300; n++) await Promise.all(Array.from({ length: 10 }, () => served.bus.emit('tick', text)))
    const { events, queued } = (await served.bus.stats()).frontends['main']!
    expect(events.dropped).toBeGreaterThan(100)
    expect(queued).toBeLessThan(128 * 2 ** 20)
    // Frames that wait in the socket.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
  })

  test('is disconnected if it sends pings and does not read the answers', async () => {
    served = await serve({ heartbeat: 60_000 })
    const { socket } = await connect(served)
    const before = process.memoryUsage().arrayBuffers
    socket.pause()
    const data = Buffer.alloc(125)
    const flood = (): void => {
      for (let n = 0; n < 1000; n++) socket.ping(data)
      if (socket.readyState === socket.OPEN) setImmediate(flood)
    }
    flood()
    await expect.poll(async () => (await served.bus.stats()).frontends['main']!.state).toBe('disconnected')
    socket.terminate()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
  })

  test('is read no faster than core answers if it floods', async () => {
    served = await serve()
    const page = await connect(served)
    let answers = 0
    page.socket.on('message', () => answers++)
    for (let id = 1; id <= 20_000; id++) page.socket.send(call(id, 'x'.repeat(1000)))
    await expect.poll(() => answers).toBeGreaterThan(500)
    await expect.poll(() => page.socket.bufferedAmount).toBe(0)
  })

  /** Serves with a heartbeat whose clock is the test's own. */
  const serveBeating = async (): Promise<() => void> => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    served = await serve({ heartbeat: 60_000 })
    return () => void vi.advanceTimersByTime(60_000)
  }

  test('is disconnected by its heartbeat if it is silent', async () => {
    const beat = await serveBeating()
    const page = await connect(served)
    // Reading no more is how a page looks whose network has gone: no pong comes.
    page.socket.pause()
    const getState = async () => (await served.bus.stats()).frontends['main']!.state
    await expect.poll(() => (beat(), getState())).toBe('disconnected')
  })

  test('stays connected if it answers its heartbeats', async () => {
    const beat = await serveBeating()
    const page = await connect(served)
    for (let n = 1; n <= 3; n++) {
      const pinged = once(page.socket, 'ping')
      beat()
      await pinged
      // The pong is before it.
      expect(await page.ask(call(n, 'here'))).toContain('"here"')
    }
  })
})
