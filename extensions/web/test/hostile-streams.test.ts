// Pages that break the protocol of streams: as raw WebSockets, because the client keeps it.
import { Channel } from '@sallyport/frontend'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, connect, type RawPage, serve, type Served } from './raw.ts'

interface Message {
  id: number
  result?: unknown
  error?: { code: number; message: string }
  method: string
  params: { channel: number } & Record<string, unknown>
}

let served: Served
let page: RawPage
let faults: string[]
/** Requests of core that the page has received. */
let requests: Message[]

beforeEach(async () => {
  served = await serve()
  page = await connect(served)
  faults = []
  requests = []
  served.bus.on('fault', ({ label, error }) => faults.push(`${label}: ${error.message}`))
})
afterEach(() => served.close())

const send = (message: object): void => page.socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))

/** Calls back with each message of core: those of a tick share a frame. */
function onMessage(received: (message: Message) => void): void {
  page.socket.on('message', (data: Buffer) => {
    if (data.length > 0) for (const message of [JSON.parse(data.toString())].flat() as Message[]) received(message)
  })
}

/** Answers each request of core. */
function onRequest(answer: (request: Message) => void): void {
  onMessage(message => {
    if (message.method === undefined) return
    requests.push(message)
    if (message.id !== undefined) answer(message)
  })
}

const readAll = async (stream: AsyncIterable<unknown>): Promise<number> => {
  let count = 0
  for await (const _value of stream) count++
  return count
}

const say = (channel: number, index: number, message: unknown): void =>
  send({ method: '$/channel', params: { channel, index, message } })

test('values beyond their credit end the page that sends them', async () => {
  const value = 'x'.repeat(2 ** 20)
  onRequest(({ id }) => send({ id, result: null, stream: 7 }))
  onMessage(({ method }) => {
    if (method === '$/credit') for (let index = 0; index < 50; index++) say(7, index, value)
  })
  const stream = served.bus.stream('main', 'flood')
  await stream.next()
  await expect
    .poll(() => faults)
    .toEqual(['main: The peer violated the protocol: more than 1048576 bytes of a stream are unread'])
  await expect(readAll(stream)).rejects.toMatchObject({ reason: 'Disconnected' })
  await page.closed
})

test('values that nobody has asked for end the page', async () => {
  onRequest(({ id }) => {
    const early = { method: '$/channel', params: { channel: 7, index: 0, message: 'early' } }
    const frame = [{ id, result: null, stream: 7 }, early].map(message => ({ jsonrpc: '2.0', ...message }))
    page.socket.send(JSON.stringify(frame))
  })
  const next = served.bus.stream('main', 'early').next()
  await expect(next).rejects.toMatchObject({ reason: 'Disconnected' })
  expect(faults).toHaveLength(1)
})

test('messages of streams that are not open, or are over, are ignored, and what the page reads next arrives', async () => {
  onRequest(({ id }) => send({ id, result: null, stream: 7 }))
  onMessage(({ method }) => {
    if (method !== '$/credit') return
    say(1000, 5, 'never opened')
    say(7, 0, 'value')
    send({ method: '$/channel', params: { channel: 7, index: 1, end: true } })
    say(7, 2, 'after the end')
  })
  const stream = served.bus.stream<string>('main', 'few')
  expect(await readAll(stream)).toBe(1)
  expect(await answerTo(77)).toBe('still here')
  expect(faults).toEqual([])
})

test('a page that claims more credit than it has read gets one window of a source', async () => {
  let given = 0
  async function* body() {
    for (; ; given++) yield 'x'.repeat(2 ** 18)
  }
  onRequest(() => {})
  const answer = served.bus.call('main', 'take', { body: body() }, { timeout: false }).catch((error: unknown) => error)
  await expect.poll(() => requests).toHaveLength(1)
  const channel = Number(/\d+$/.exec(requests[0]!.params['body'] as string)![0])
  for (const params of [{ channel: -1 }, { channel: 'x' }, {}, { channel: channel + 1 }]) {
    send({ method: '$/credit', params: { bytes: 5, ...params } })
  }
  expect(await answerTo(5001)).toBe('still here')
  expect(given).toBe(0)
  send({ method: '$/credit', params: { channel, bytes: Number.MAX_SAFE_INTEGER } })
  expect(await answerTo(5002)).toBe('still here')
  // Between host and core, and between core and page.
  expect(given).toBeLessThan(25)
  page.socket.terminate()
  expect(await answer).toMatchObject({ reason: 'Disconnected' })
})

test('a page that closes in mid-stream ends the streams and channels that it was given', async () => {
  let isLeft = false
  const body = new ReadableStream({ cancel: () => void (isLeft = true) })
  onRequest(() => {})
  const progress = new Channel()
  const answer = served.bus
    .call('main', 'take', { body, progress }, { timeout: false })
    .catch((error: unknown) => error)
  await expect.poll(() => requests.map(({ method }) => method)).toContain('take')
  page.socket.terminate()
  expect(await answer).toMatchObject({ reason: 'Disconnected' })
  expect(await readAll(progress)).toBe(0)
  await expect.poll(() => isLeft).toBe(true)
})

/** Makes a call, and returns its result. */
function answerTo(id: number): Promise<unknown> {
  const answer = new Promise<unknown>(resolve => onMessage(message => message.id === id && resolve(message.result)))
  page.socket.send(call(id, 'still here'))
  return answer
}
