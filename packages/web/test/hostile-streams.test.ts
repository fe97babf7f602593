// Pages that break the protocol of streams: as raw WebSockets, because the client keeps it.
import { Channel } from '@sallyport/frontend'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, connect, type RawPage, serve, type Served } from './raw.ts'

interface Message {
  id: number
  result?: unknown
  error?: { code: number; message: string }
  method: string
  params: { stream: number; ahead?: number } & Record<string, unknown>
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

test('values without credit end the page that sends them, and no more of them are held than it was granted', async () => {
  const value = 'x'.repeat(2 ** 20)
  onRequest(({ id, method }) => send({ id, ...(method === 'flood' ? { result: null, stream: 7 } : { result: value }) }))
  const stream = served.bus.stream('main', 'flood')
  await stream.next()
  await expect
    .poll(() => faults)
    .toEqual(['main: The peer violated the protocol: more than 1048576 bytes of a stream are unread'])
  expect(requests.length).toBeLessThan(50)
  await expect(readAll(stream)).rejects.toMatchObject({ reason: 'Disconnected' })
  await page.closed
})

test('answers that core did not request are errors of the page, and what it reads next arrives', async () => {
  onRequest(({ id, method, params }) => {
    if (method === 'few') return send({ id, result: null, stream: 7 })
    // Each value twice, and more after the end.
    if (params.ahead === undefined || requests.length > 20) return
    send({ id, result: id })
    send({ id, result: 'again' })
    send({ id: id + 1000, result: 'never requested' })
  })
  const stream = served.bus.stream<number>('main', 'few')
  const values: unknown[] = []
  for (let i = 0; i < 3; i++) values.push((await stream.next()).value)
  expect(values).toEqual([...new Set(values)].filter(value => typeof value === 'number'))
  await stream.return!()
  await expect.poll(() => requests.some(({ method }) => method === '$/return')).toBe(true)
  send({ id: requests.find(({ method }) => method === '$/next')!.id, result: 'after the end' })
  expect(await answerTo(77)).toBe('still here')
  expect(faults).toEqual([])
})

test('a page that reads a stream faster than it may is refused each request, and the source gives one value at a time', async () => {
  let asked = 0
  let release = (): void => {}
  const released = new Promise<void>(resolve => (release = resolve))
  async function* body() {
    for (;;) {
      asked++
      await released
      yield asked
    }
  }
  onRequest(() => {})
  const answer = served.bus.call('main', 'take', { body: body() }, { timeout: false }).catch((error: unknown) => error)
  await expect.poll(() => requests).toHaveLength(1)
  const stream = Number(/\d+$/.exec(requests[0]!.params['body'] as string)![0])
  const refused = new Promise<number>(resolve =>
    onMessage(({ error }) => error?.message.includes('previous request') && resolve(error.code)),
  )
  for (let id = 1; id <= 1000; id++) send({ id, method: '$/next', params: { stream } })
  expect(await refused).toBe(-32600)
  for (const params of [{ stream: -1 }, { stream: 'x' }, {}, { stream: stream + 1 }, { stream: 2 ** 31 }]) {
    send({ id: 5000, method: '$/next', params })
  }
  expect(await answerTo(5001)).toBe('still here')
  expect(asked).toBe(1)
  page.socket.terminate()
  release()
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
