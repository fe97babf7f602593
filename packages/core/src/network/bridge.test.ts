// Two links as one: frames in both directions, one end for both, and a sender that waits for the slower one.
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  BusError,
  CREDIT_WINDOW_BYTES,
  type Frame,
  type FrameKind,
  type Link,
  type LinkReceiver,
} from '@sallyport/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bridge } from './bridge.js'
import { createMemoryLinkPair } from '../../../protocol/test/memory-link.js'

function recorded(link: Link): string[] {
  const log: string[] = []
  link.receive({ frame: ({ body }) => log.push(Buffer.from(body).toString()), closed: () => log.push('closed') })
  return log
}

test('what comes on one link goes on over the other, and they end together', async () => {
  const [[core, near], [far, child]] = [createMemoryLinkPair(), createMemoryLinkPair()]
  const over = bridge(near, far)
  const [atCore, atChild] = [recorded(core), recorded(child)]
  core.send({ kind: 1, body: 'down' })
  child.send({ kind: 2, body: Buffer.from('up') })
  await nextTurn()
  child.send({ kind: 1, body: 'last' })
  child.close()
  expect(await over).toEqual({ first: 'far', near: undefined, far: undefined })
  await nextTurn()
  expect(atCore).toEqual(['up', 'last', 'closed'])
  expect(atChild).toEqual(['down', 'closed'])
})

/** A link that tells what is asked of it. */
function told() {
  const log: unknown[] = []
  let receiver!: LinkReceiver
  let room: Promise<void> | undefined
  const link: Link = {
    send: ({ body }: Frame) => void log.push(body),
    queued: 0,
    room: () => room,
    pause: () => void log.push('pause'),
    resume: () => void log.push('resume'),
    receive: given => void (receiver = given),
    close: () => void log.push('close'),
  }
  return {
    link,
    log,
    get receiver() {
      return receiver
    },
    fill: (until: Promise<void>) => (room = until),
  }
}

test('a link that has no room pauses the other', async () => {
  const [near, far] = [told(), told()]
  void bridge(near.link, far.link)
  const body = new Uint8Array(1)
  near.receiver.frame({ kind: 1, body })
  expect([near.log, far.log]).toEqual([[], [body]])
  let makeRoom!: () => void
  void far.fill(new Promise<void>(resolve => (makeRoom = resolve)))
  near.receiver.frame({ kind: 1, body })
  expect(near.log).toEqual(['pause'])
  makeRoom()
  await nextTurn()
  expect(near.log).toEqual(['pause', 'resume'])
  far.receiver.frame({ kind: 1, body })
  expect(far.log).toEqual([body, body])
})

test('a fault of the far one is told', async () => {
  const [near, far] = [told(), told()]
  const over = bridge(near.link, far.link)
  const fault = new BusError('InvalidRequest', 'broken')
  far.receiver.closed(fault)
  near.receiver.closed()
  expect(await over).toEqual({ first: 'far', near: undefined, far: fault })
  expect([near.log, far.log]).toEqual([['close'], ['close']])
})

test('attachments go on as far as a message may have them; more than that is a fault', async () => {
  const [near, far] = [told(), told()]
  const over = bridge(near.link, far.link)
  const send = (kind: FrameKind, body: Uint8Array): void => far.receiver.frame({ kind, body })
  const large = new Uint8Array(2 ** 26)
  for (const kind of [5, 5, 5, 5, 2, 5, 5, 5, 5, 2] as const) send(kind, kind === 5 ? large : new Uint8Array(1))
  // The smallest that there is counts, so that there can't be too many either.
  for (let i = 0; i < 2 ** 12; i++) send(5, new Uint8Array(0))
  expect(near.log).toHaveLength(10 + 2 ** 12)
  send(5, new Uint8Array(0))
  near.receiver.closed()
  expect((await over).far).toMatchObject({ reason: 'InvalidRequest', message: expect.stringContaining('attachments') })
  expect(near.log.slice(10 + 2 ** 12)).toEqual(['close'])
  expect(far.log).toEqual(['close', 'close'])
})

test('whoever is told that the near one has closed may hold the far one for a while', async () => {
  const [near, far] = [told(), told()]
  const faults: unknown[] = []
  const over = bridge(near.link, far.link, fault => void faults.push(fault))
  const fault = new BusError('InvalidRequest', 'broken')
  near.receiver.closed(fault)
  expect([near.log, far.log, faults]).toEqual([[], [], [fault]])
  far.receiver.closed()
  expect(await over).toEqual({ first: 'near', near: fault, far: undefined })
})

test('frames pass in order, and no more wait than one window: for any sizes', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(sizes, sizes, fc.integer({ min: 1, max: 7 }), async (downs, ups, every) => {
      const [[core, near], [far, child]] = [createMemoryLinkPair(), createMemoryLinkPair()]
      const over = bridge(near, far)
      const largest = Math.max(...downs, ...ups)
      const taken = (link: Link, got: number[], held: () => number): void =>
        link.receive({
          frame({ body }) {
            got.push(body.length)
            expect(held()).toBeLessThanOrEqual(CREDIT_WINDOW_BYTES + largest + 64)
            if (got.length % every) return
            link.pause()
            setImmediate(() => link.resume())
          },
          closed() {},
        })
      const [atCore, atChild]: [number[], number[]] = [[], []]
      taken(core, atCore, () => near.queued)
      taken(child, atChild, () => far.queued)
      for (const size of downs) core.send({ kind: 2, body: new Uint8Array(size) })
      for (const size of ups) child.send({ kind: 2, body: new Uint8Array(size) })
      while (atCore.length < ups.length || atChild.length < downs.length) await nextTurn()
      expect([atCore, atChild]).toEqual([ups, downs])
      child.close()
      await over
    }),
    { numRuns: 30 },
  )
})
