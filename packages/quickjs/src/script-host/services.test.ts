import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { MAX_IN_FLIGHT } from '@sallyport/protocol/internal/wire'
import { forged } from '../../test/forged.js'
import type { CrossedError } from './crossing.js'
import { Services } from './services.js'

const MAX_BYTES = 8 * 2 ** 20

type Answer = readonly [id: number, value: unknown, bytes?: Uint8Array | undefined, error?: CrossedError | undefined]

const createResponse = (): object => new Response(new Blob(['some', 'text']).stream())

/** Services whose network answers with two chunks, or never. */
function createServices(answers = true, maxBytes = MAX_BYTES, respond = createResponse) {
  const settled: Answer[] = []
  const sent: RequestInit[] = []
  let aborted = 0
  const fetch = async (_url: string, init: RequestInit) => {
    const { signal } = init
    sent.push(init)
    signal!.addEventListener('abort', () => aborted++)
    if (!answers) await new Promise(() => {})
    return respond()
  }
  const services = new Services({
    network: { fetch: fetch as unknown as typeof globalThis.fetch, env: {} },
    maxBytes,
    machine: { parse: JSON.parse, checkSize() {} },
    print() {},
    wake() {},
    settle: (...answer) => void settled.push(answer),
  })
  const send = (operation: string, value: unknown, bytes?: Uint8Array): unknown =>
    services.handle(operation, JSON.stringify(value), bytes)
  return { services, settled, sent, send, countAborted: () => aborted }
}

const request = { url: 'https://a', method: 'GET', redirect: 'follow', headers: [] }
const isForged = expect.objectContaining({ reason: 'InvalidRequest' }) as Error

test('a body is read chunk by chunk, and is forgotten at its end', async () => {
  const { send, settled } = createServices()
  send('fetch', [1, request])
  await expect.poll(() => settled.splice(0)).toMatchObject([[1, { status: 200, hasBody: true }]])
  let text = ''
  for (let isOver = false; !isOver;) {
    send('read', [1])
    await expect.poll(() => settled.length).toBe(1)
    const [, , bytes] = settled.pop()!
    isOver = bytes === undefined
    text += Buffer.from(bytes ?? []).toString()
  }
  expect(text).toBe('sometext')
  expect(() => send('read', [1])).toThrow('is closed')
})

test('a request of a script has no option but method, headers, body and redirect', () => {
  const { send, sent } = createServices(false)
  send('fetch', [1, { ...request, dispatcher: {}, agent: {}, keepalive: true, duplex: 'half', window: null }])
  expect(Object.keys(sent[0]!).toSorted()).toEqual(['body', 'headers', 'method', 'redirect', 'signal'])
})

test('a script has no more requests than the bounds of number and memory, and room again once one has ended', () => {
  const { send, countAborted } = createServices(false)
  const overloaded = expect.objectContaining({ reason: 'Overloaded' }) as Error
  send('fetch', [0, request], new Uint8Array(MAX_BYTES / 2))
  expect(() => send('fetch', [1, request], new Uint8Array(MAX_BYTES / 2))).toThrow(
    'exceed the memory of the script (8 MiB)',
  )
  send('abort-fetch', 0)
  expect(countAborted()).toBe(1)
  for (let id = 1; id < 256; id++) send('fetch', [id, request])
  expect(() => send('fetch', [256, request])).toThrow(overloaded)
})

test('an id in use, one that is no number, two reads at once, and an unknown operation are forged', async () => {
  const { send, settled } = createServices()
  send('fetch', [1, request])
  await expect.poll(() => settled.length).toBe(1)
  send('read', [1])
  for (const [operation, value] of [
    ['fetch', [1, request]],
    ['fetch', ['x', request]],
    ['read', [1]],
    ['constructor', 1],
  ] as const)
    expect(() => send(operation, value), operation).toThrow(isForged)
})

test('a URL of a script has a host of at most 253 characters, as its parts have', () => {
  const { send } = createServices()
  const long = `a${'\u0301\u0316'.repeat(5000)}`
  const parser = vi.spyOn(URL, 'canParse')
  onTestFinished(() => parser.mockRestore())
  for (const value of [
    [`http://${long}`, null],
    ['/a', `http://${long}`],
    [`//${long}`, 'http://a'],
    [`blob:http://${long}`, null],
  ])
    expect(send('url', value)).toBe('null')
  for (const url of [`http://${long}/`, `https:${long}`])
    expect(() => send('fetch', [1, { ...request, url }])).toThrow('must begin with')
  expect(send('set-url', ['http://a/', 'href', `http://${long}`])).toBe('null')
  expect(parser).not.toHaveBeenCalled()
  parser.mockRestore()
  const setters = (['host', 'hostname'] as const).map(name => vi.spyOn(URL.prototype, name, 'set'))
  onTestFinished(() => setters.forEach(setter => setter.mockRestore()))
  // As for any host that is no host, nothing is set.
  for (const name of ['host', 'hostname'])
    for (const value of [long, `${long}:80`, `${long}@a`, `\t${long}`])
      expect(JSON.parse(send('set-url', ['http://a/', name, value]) as string)).toMatchObject({ href: 'http://a/' })
  for (const setter of setters) expect(setter).not.toHaveBeenCalled()
  expect(JSON.parse(send('set-url', ['http://a/', 'host', 'b:80']) as string)).toMatchObject({ href: 'http://b/' })
  const set = send('set-url', ['http://a/', 'search', long]) as string
  expect(JSON.parse(set)).toMatchObject({ search: `?${encodeURIComponent(long)}` })
})

test('whatever a script sends, only errors are thrown, and nothing of it is left after its end', () => {
  const operations = ['print', 'wake', 'fetch', 'read', 'abort-fetch', 'encode', 'random', 'uuid', 'encoding', 'decode']
  const more = ['query', 'to-query', 'url', 'set-url', 'constructor', '__proto__']
  const ids = fc.constantFrom<unknown>(-1, 0, 1, 2, 1.5, 'x')
  const message = fc.tuple(fc.constantFrom(...operations, ...more), fc.oneof(forged, fc.tuple(ids, forged)))
  const property = fc.property(fc.array(message, { minLength: 5, maxLength: 20 }), messages => {
    const { services, send } = createServices(false)
    for (const [operation, value] of messages) {
      try {
        send(operation, value, new Uint8Array(8))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }
    services.stop()
  })
  // Those of the runner are real ones.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] })
  onTestFinished(() => void vi.useRealTimers())
  fc.assert(property, { numRuns: 500 })
  expect(vi.getTimerCount()).toBe(0)
})

test('a script has as many responses whose body it has not read as the limit, and no more', async () => {
  const response = { status: 200, headers: [], body: { [Symbol.asyncIterator]: () => ({}) } }
  const { send, settled } = createServices(true, 2 * MAX_IN_FLIGHT * 4096, () => response)
  for (let id = 0; id < MAX_IN_FLIGHT; id++) {
    send('fetch', [id, request])
    // No more than some hundred have no response at a time.
    if (id % 128 === 127) while (settled.length <= id) await turn()
  }
  expect(() => send('fetch', [MAX_IN_FLIGHT, request])).toThrow(expect.objectContaining({ reason: 'Overloaded' }))
})

test('requests take as much as the memory of the script, and no more', () => {
  const { send } = createServices(false)
  const { length } = JSON.stringify([0, request])
  const rest = MAX_BYTES - 4096 - length
  expect(() => send('fetch', [0, request], new Uint8Array(rest + 1))).toThrow('exceed the memory of the script')
  send('fetch', [0, request], new Uint8Array(rest))
})
