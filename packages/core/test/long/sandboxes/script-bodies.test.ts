// Bodies of `fetch` in a script in QuickJS: each snippet returns there what it returns with the `fetch` of Node.js.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bus, defineCore, createBus } from '../../../src/index.js'
import { rows } from '../../../../../scripts/testing.js'

/** Answers with the type and the bytes of a request, or with those of the request for `/mirror`, or with the status that is its path. */
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => void chunks.push(chunk))
  request.on('end', () => {
    const type = request.headers['content-type'] ?? ''
    const body = Buffer.concat(chunks)
    const status = Number(request.url!.slice(1))
    if (status > 0) return response.writeHead(status).end()
    if (request.url !== '/mirror') return response.end(JSON.stringify([type, body.toString('latin1')]))
    response.setHeader('content-type', type).end(body)
  })
})

let bus: Bus
let origin: string

beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  bus = await createBus({ core: defineCore({ commands: {} }), log: false })
})
afterAll(async () => {
  await bus.close()
  server.close().closeAllConnections()
})

const run = (code: string): Promise<unknown> =>
  bus.run(code, {
    sandbox: { kind: 'quickjs', process: true, wall: 'none', net: [new URL(origin).host] },
    args: { origin },
    timeout: 60_000,
  })

const runInNode = (code: string): Promise<unknown> => new AsyncFunction('args', code)({ origin }) as Promise<unknown>
const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (args: object) => unknown

const setup = `
  const send = async (body, more) => (await fetch(args.origin, { method: 'POST', body, ...more })).json()
  const mirror = (body, more) => fetch(args.origin + '/mirror', { method: 'POST', body, ...more })
  const readAll = async stream => { const chunks = []; for await (const chunk of stream) chunks.push(...chunk); return chunks }
  const nameError = run => Promise.resolve().then(run).then(() => 'none', error => error.name)
  const form = () => {
    const data = new FormData()
    data.append('a', 'x\\ny')
    data.append('a"\\n', 'ä')
    data.append('file', new Blob(['in ', new Uint8Array([255, 13, 10])], { type: 'Text/X' }), 'ä "1".txt')
    data.append('plain', new File([], 'empty', { lastModified: 7 }))
    return data
  }
`

/** Returns code that runs all snippets, one after the other, and has their results as text. */
const joinAll = (snippets: Readonly<Record<string, string>>): string => {
  const functions = Object.entries(snippets).map(([name, code]) => `${JSON.stringify(name)}: async () => { ${code} }`)
  return `${setup}
    const results = {}
    for (const [name, run] of Object.entries({ ${functions.join()} }))
      results[name] = await run().catch(error => ({ thrown: String(error) }))
    return JSON.stringify(results)`
}

test('bodies have the results of Node.js', async () => {
  const snippets = {
    'a Blob as a body': `return [await send(new Blob(['a', new Uint8Array([1, 255])])), await send(new Blob(['a'], { type: 'text/x' }))]`,
    'a form as a body': `const [type, body] = await send(form())
     const [, boundary] = /^multipart\\/form-data; boundary=(.+)$/.exec(type)
     return body.replaceAll(boundary, 'boundary')`,
    'a form as a result': `const result = []
     for (const [key, value] of await (await mirror(form())).formData())
       result.push(typeof value === 'string' ? [key, value] : [key, value.name, value.type, value.size, [...new Uint8Array(await value.arrayBuffer())]])
     return result`,
    'a query as a result': `return [...(await (await mirror(new URLSearchParams({ a: 'b c', d: 'ä' }))).formData()).entries()]`,
    'a body that is not a form': `return [await nameError(async () => (await mirror('text')).formData()), await nameError(() => new Response('--x', { headers: { 'content-type': 'multipart/form-data; boundary=x' } }).formData())]`,
    'methods of a form': `const data = form()
     data.set('a', 'new')
     data.delete('plain')
     const seen = []
     data.forEach((value, key) => seen.push([key, String(value)]))
     return [seen, data.has('a'), data.get('none'), data.getAll('a'), [...data.keys()], data.get('file').name, data.get('file') instanceof Blob]`,
    'a Blob as a result': `const blob = await (await mirror('abc')).blob()
     return [blob.type, blob.size, await blob.text(), await blob.slice(1, -1).text(), blob.slice(1, 2, 'X/y').type, await readAll(blob.stream()), blob instanceof Blob]`,
    'a File': `const { name, type, size, lastModified } = new File(['ab', new Blob(['c'])], 'a.txt', { type: 'text/plain', lastModified: 5 })
     return { name, type, size, lastModified }`,
    'a clone of a response': `const response = await mirror('abc')
     const copy = response.clone()
     const { status, ok, url, redirected, type } = copy
     return [{ status, ok, url, redirected, type }, await copy.text(), response.bodyUsed, await response.text(), response.bodyUsed, await nameError(() => response.clone())]`,
    'a clone of a request': `const request = new Request(args.origin, { method: 'POST', body: 'abc', headers: { 'x-a': '1' } })
     const copy = request.clone()
     return [await (await fetch(request)).json(), copy.method, copy.headers.get('x-a'), await copy.text(), await nameError(() => request.clone())]`,
    'a stream as a body': `const stream = new ReadableStream({
       start(controller) { controller.enqueue(new Uint8Array([97])) },
       pull(controller) { controller.enqueue(new TextEncoder().encode('b')); controller.close() },
     })
     return send(stream, { duplex: 'half' })`,
    'the body of a response as a body': `return send((await mirror('abc')).body, { duplex: 'half' })`,
    'an async iterable as a body': `return send((async function* () { yield new Uint8Array([97]); yield new Uint8Array([98]) })(), { duplex: 'half' })`,
    'a stream that fails, and one with strings': `return [
       await nameError(() => send(new ReadableStream({ pull() { throw new RangeError('no') } }), { duplex: 'half' }).catch(error => { throw error.cause ?? error })),
       await nameError(() => new Response(new ReadableStream({ pull(controller) { controller.enqueue('a'); controller.close() } })).text()),
     ]`,
    'a signal while a body without an end is read': `const endless = () => new ReadableStream({ start(controller) { controller.enqueue(new Uint8Array(3)) } })
     const controller = new AbortController()
     const sent = nameError(() => send(endless(), { duplex: 'half', signal: controller.signal }))
     setTimeout(() => controller.abort(), 1)
     return [await sent, await nameError(() => send(endless(), { duplex: 'half', signal: AbortSignal.timeout(1) }))]`,
    'the status of a response': `const create = (body, status) => nameError(() => new Response(body, { status }))
     const { status } = new Response(null, { status: 204 })
     return [
       await Promise.all([99, 101, 199, 600, 'a', -1].map(each => create(null, each))),
       await Promise.all([204, 205, 304].map(each => create('', each))),
       await Promise.all([200, 299.5, '404', 599, 304, undefined].map(each => create(null, each))),
       status,
     ]`,
    'a response of a server that has any status': `const result = []
     for (const path of ['/204', '/999']) {
       const response = await fetch(args.origin + path)
       const copy = response.clone()
       result.push([response.status, response.body === null, copy.status, await copy.text()])
     }
     return result`,
    'reading a body with for await': `const response = await mirror('abc')
     const bytes = await readAll(response.body)
     return [bytes, response.bodyUsed, await nameError(() => response.text()), response.body.locked, response.body instanceof ReadableStream]`,
    'a loop that is left cancels a stream': `let reason = 'none'
     const stream = new ReadableStream({ pull(controller) { controller.enqueue(1) }, cancel() { reason = 'cancelled' } })
     for await (const each of stream) break
     return [reason, stream.locked, (await stream.getReader().read()).done]`,
    'a reader': `const stream = ReadableStream.from(['a', 'b'])
     const reader = stream.getReader()
     const first = await reader.read()
     const locked = await nameError(() => stream.getReader())
     reader.releaseLock()
     const released = await nameError(() => reader.read())
     return [first, locked, released, await stream.getReader().read(), stream.locked]`,
    'the queue of a stream': `const events = []
     const stream = new ReadableStream({
       start(controller) { events.push(controller.desiredSize) },
       pull(controller) { events.push('pull'); controller.enqueue(events.length) },
     })
     await new Promise(resolve => setTimeout(resolve, 1))
     const reader = stream.getReader()
     events.push((await reader.read()).value)
     await reader.cancel('why')
     return [events, await reader.read(), await reader.closed]`,
    'an error of a stream': `let controller
     const stream = new ReadableStream({ start(each) { controller = each } })
     const reader = stream.getReader()
     const read = nameError(() => reader.read())
     controller.error(new RangeError('no'))
     controller.error(new Error('again'))
     return [await read, await nameError(() => reader.closed), await nameError(() => reader.cancel()), controller.desiredSize, await nameError(() => controller.enqueue(1))]`,
    tee: `const [a, b] = ReadableStream.from([new Uint8Array([1]), new Uint8Array([2])]).tee()
     const first = await readAll(a)
     return [first, await readAll(b), a.locked]`,
    'a body of a method without one, and a body that is used': `const response = await mirror('abc')
     await response.text()
     return [await nameError(() => new Request(args.origin, { body: 'a' })), await nameError(() => new Response(response.body)), await nameError(() => response.blob())]`,
  }
  const code = joinAll(snippets)
  const [inScript, inNode] = [await run(code), await runInNode(code)].map(
    text => JSON.parse(text as string) as Record<string, unknown>,
  )
  await rows(Object.keys(snippets))(name => {
    expect(inScript![name]).toEqual(inNode![name])
    expect(JSON.stringify(inNode![name])).not.toContain('thrown')
  })
})

test('a signal cancels a body that is read for a request', async () => {
  const code = `
    const controller = new AbortController()
    const { signal } = controller
    const cancelled = new Promise(resolve => {
      const body = new ReadableStream({ pull: () => void setTimeout(() => controller.abort('why'), 1), cancel: resolve })
      fetch(args.origin, { method: 'POST', body, signal }).catch(() => {})
    })
    return await cancelled`
  expect(await run(code)).toBe('why')
})

test('what is missing has a TypeError that says so', async () => {
  const missing = {
    'new FormData({})': /a script has no forms/,
    "await fetch(args.origin, { method: 'POST', body: { a: 1 } })": /Use JSON.stringify for an object/,
  }
  const snippets = Object.keys(missing).map(code => [
    code,
    `try { ${code} } catch (error) { return [error.name, error.message] }`,
  ])
  const results = JSON.parse((await run(joinAll(Object.fromEntries(snippets)))) as string) as Record<string, unknown>
  await rows(missing)((message, code) => {
    expect(results[code]).toEqual(['TypeError', expect.stringMatching(message)])
  })
})
