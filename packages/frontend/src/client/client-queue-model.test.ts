// Compares the send queue with a plain array of waiting messages: their order, the window, and removed calls, in whatever order
// calls are made, answered and cancelled, and the link fills and empties.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { CallMessage } from '@sallyport/protocol/internal/message'
import type { Link } from '@sallyport/protocol/internal/wire'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ClientQueue } from './client-queue.js'

interface Model {
  window: number
  inFlight: number[]
  waiting: { id: number | undefined; name: string }[]
  sent: string[]
  hasRoom: boolean
  next: number
}

class Real {
  readonly sent: string[] = []
  /** Ids of calls without a response, those in the queue included. */
  readonly pending = new Set<number>()
  room: Promise<void> | undefined
  makeRoom = (): void => {}
  readonly queue: ClientQueue

  constructor(window: number) {
    const link = { room: () => this.room, send: ({ body }) => this.#receive(body) } as Link
    const getSize = (): number => this.pending.size
    const pending = {
      get size() {
        return getSize()
      },
      isFull: (unsent = 0) => getSize() - unsent >= window,
    }
    this.queue = new ClientQueue(link, 'json', pending)
  }

  send(id: number | undefined, name: string): void {
    const message: CallMessage = { jsonrpc: '2.0', method: name, ...(id !== undefined && { id }) }
    this.queue.enqueue(message, undefined)
    if (id !== undefined) this.pending.add(id)
  }

  #receive(body: string | Uint8Array): void {
    if (typeof body !== 'string') return
    const messages = [JSON.parse(body)].flat() as { method: string }[]
    this.sent.push(...messages.map(({ method }) => method))
  }
}

type Step = fc.AsyncCommand<Model, Real>

const drain = (model: Model): void => {
  while (model.waiting.length > 0 && model.hasRoom) {
    const { id, name } = model.waiting[0]!
    if (id !== undefined && model.inFlight.length >= model.window) return
    model.waiting.shift()
    model.sent.push(name)
    if (id !== undefined) model.inFlight.push(id)
  }
}

const step = (name: string, check: (model: Model) => boolean, run: (model: Model, real: Real) => void): Step => ({
  check,
  async run(model, real) {
    run(model, real)
    await new Promise(resolve => setImmediate(resolve))
    drain(model)
    expect(real.sent).toEqual(model.sent)
    expect(real.queue.isEmpty).toBe(model.waiting.length === 0)
    for (const { id } of model.waiting) if (id !== undefined) expect(real.queue.isUnsent(id)).toBe(true)
  },
  toString: () => name,
})

const send = (isCall: boolean): Step =>
  step(
    isCall ? 'call' : 'emit',
    () => true,
    (model, real) => {
      const number = model.next++
      const id = isCall ? number : undefined
      model.waiting.push({ id, name: `${number}` })
      real.send(id, `${number}`)
    },
  )

const answer = (pick: number): Step =>
  step(
    `answer ${pick}`,
    ({ inFlight }) => inFlight.length > 0,
    (model, real) => {
      const [id] = model.inFlight.splice(pick % model.inFlight.length, 1)
      real.pending.delete(id!)
      real.queue.drain()
    },
  )

const cancel = (pick: number): Step =>
  step(
    `cancel ${pick}`,
    ({ waiting }) => waiting.some(({ id }) => id !== undefined),
    (model, real) => {
      const calls = model.waiting.filter(({ id }) => id !== undefined)
      const { id } = calls[pick % calls.length]!
      model.waiting = model.waiting.filter(message => message.id !== id)
      expect(real.queue.remove(id!)).toBe(true)
      expect(real.queue.remove(id!)).toBe(false)
      real.pending.delete(id!)
      real.queue.drain()
    },
  )

const fillLink = step(
  'fill the link',
  ({ hasRoom }) => hasRoom,
  (model, real) => {
    model.hasRoom = false
    real.room = new Promise(resolve => (real.makeRoom = resolve))
  },
)

const emptyLink = step(
  'empty the link',
  ({ hasRoom }) => !hasRoom,
  (model, real) => {
    model.hasRoom = true
    real.room = undefined
    real.makeRoom()
  },
)

it('sends the messages that an array would send', async () => {
  const picked = (make: (pick: number) => Step): fc.Arbitrary<Step> => fc.nat(20).map(make)
  const steps = [
    fc.boolean().map(send),
    fc.boolean().map(send),
    picked(answer),
    picked(cancel),
    fc.constantFrom(fillLink, emptyLink),
  ]
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.commands(steps, { maxCommands: 60 }), (window, commands) =>
      fc.asyncModelRun(
        () => ({
          model: { window, inFlight: [], waiting: [], sent: [], hasRoom: true, next: 1 },
          real: new Real(window),
        }),
        commands,
      ),
    ),
    { numRuns: 500 },
  )
})

it('frees the memory of sent messages while others wait', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const real = new Real(1)
  const call = (id: number): void => {
    real.queue.enqueue({ jsonrpc: '2.0', id, method: 'm', params: { bytes: new Uint8Array(2 ** 20) } }, undefined)
    real.pending.add(id)
  }
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let id = 1; id <= 4; id++) call(id)
  for (let id = 5; id < 200; id++) {
    call(id)
    real.pending.delete(id - 4)
    real.queue.drain()
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(real.queue.isEmpty).toBe(false)
  // On a busy machine memory is swept late.
  const getHeld = (): number => {
    collect()
    return process.memoryUsage().arrayBuffers - before
  }
  await expect.poll(getHeld).toBeLessThan(50 * 2 ** 20)
})
