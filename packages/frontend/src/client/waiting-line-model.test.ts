// The waiting line against a plain list of what waits: order, the window, its bounds, and what is given up, in whatever order
// calls come, are answered and cancelled, and the link fills and empties.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Codec, codecs, type EncodedMessage, type Link, type Outbox, type PendingCalls } from '@sallyport/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SendQueue } from './send-queue.js'

interface Model {
  window: number
  inFlight: number[]
  line: { id: number | undefined; what: string }[]
  sent: string[]
  room: boolean
  next: number
}

class Real {
  readonly sent: string[] = []
  readonly inFlight = new Set<number>()
  room: Promise<void> | undefined
  open = (): void => {}
  readonly line: SendQueue

  constructor(window: number) {
    const { inFlight } = this
    const outbox = { put: (_codec: Codec, encoded: EncodedMessage) => void this.sent.push(encoded as string) } as Outbox
    const link = { room: () => this.room } as Link
    // As a client's: those that wait are among them.
    const pending = {
      isFull: (unsent = 0) => inFlight.size - unsent >= window,
    } as PendingCalls
    this.line = new SendQueue({ link, outbox, pending }, {})
  }

  say(id: number | undefined, what: string): void {
    const waits = id === undefined ? this.line.holdsEvents : this.line.holdsCalls
    const way = waits
      ? this.line.enqueue(id)
      : { put: (_: Codec, encoded: EncodedMessage) => this.sent.push(encoded as string) }
    way.put(codecs.json, what)
    if (id !== undefined) this.inFlight.add(id)
  }
}

type Step = fc.AsyncCommand<Model, Real>

const goesOn = (model: Model): void => {
  while (model.line.length > 0 && model.room) {
    const { id, what } = model.line[0]!
    if (id !== undefined && model.inFlight.length >= model.window) return
    model.line.shift()
    model.sent.push(what)
    if (id !== undefined) model.inFlight.push(id)
  }
}

const step = (name: string, check: (model: Model) => boolean, run: (model: Model, real: Real) => void): Step => ({
  check,
  async run(model, real) {
    run(model, real)
    await new Promise(resolve => setImmediate(resolve))
    goesOn(model)
    expect(real.sent).toEqual(model.sent)
    expect(real.line.waits).toBe(model.line.length > 0)
    for (const { id } of model.line) if (id !== undefined) expect(real.line.has(id)).toBe(true)
  },
  toString: () => name,
})

const say = (isCall: boolean): Step =>
  step(
    isCall ? 'call' : 'emit',
    () => true,
    (model, real) => {
      const number = model.next++
      const id = isCall ? number : undefined
      model.line.push({ id, what: `${number}` })
      real.say(id, `${number}`)
    },
  )

const answer = (pick: number): Step =>
  step(
    `answer ${pick}`,
    ({ inFlight }) => inFlight.length > 0,
    (model, real) => {
      const [id] = model.inFlight.splice(pick % model.inFlight.length, 1)
      real.inFlight.delete(id!)
      real.line.drain()
    },
  )

const cancel = (pick: number): Step =>
  step(
    `cancel ${pick}`,
    ({ line }) => line.some(({ id }) => id !== undefined),
    (model, real) => {
      const calls = model.line.filter(({ id }) => id !== undefined)
      const { id } = calls[pick % calls.length]!
      model.line = model.line.filter(waiting => waiting.id !== id)
      expect(real.line.remove(id!)).toBe(true)
      expect(real.line.remove(id!)).toBe(false)
      real.inFlight.delete(id!)
      real.line.drain()
    },
  )

const fill = step(
  'fill',
  ({ room }) => room,
  (model, real) => {
    model.room = false
    real.room = new Promise(resolve => (real.open = resolve))
  },
)

const empty = step(
  'empty',
  ({ room }) => !room,
  (model, real) => {
    model.room = true
    real.room = undefined
    real.open()
  },
)

it('does what a list would', async () => {
  const picked = (make: (pick: number) => Step): fc.Arbitrary<Step> => fc.nat(20).map(make)
  const steps = [
    fc.boolean().map(say),
    fc.boolean().map(say),
    picked(answer),
    picked(cancel),
    fc.constantFrom(fill, empty),
  ]
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.commands(steps, { maxCommands: 60 }), (window, commands) =>
      fc.asyncModelRun(
        () => ({
          model: { window, inFlight: [], line: [], sent: [], room: true, next: 1 },
          real: new Real(window),
        }),
        commands,
      ),
    ),
    { numRuns: 500 },
  )
})

it('keeps nothing of what has gone, though it is never empty', async () => {
  setFlagsFromString('--expose-gc')
  const real = new Real(1)
  const collect = runInNewContext('gc') as () => void
  const say = (id: number): WeakRef<Uint8Array> => {
    const bytes = new Uint8Array(64)
    if (id > 1) real.line.enqueue(id).put(codecs.json, '', [bytes])
    real.inFlight.add(id)
    return new WeakRef(bytes)
  }
  const early = [1, 2, 3].map(say)[2]!
  for (let id = 4; id < 100; id++) {
    say(id)
    real.inFlight.delete(id - 3)
    real.line.drain()
  }
  expect(real.line.waits).toBe(true)
  await new Promise(resolve => setImmediate(resolve))
  collect()
  expect(early.deref()).toBeUndefined()
})
