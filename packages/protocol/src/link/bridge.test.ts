// Joined links: frames in both directions, a common end, and back-pressure from the slower link.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { BusError } from '../errors/bus-error.js'
import { CREDIT_WINDOW_BYTES } from '../wire/limits.js'
import type { Frame, Link, LinkReceiver } from '../wire/link.js'
import type { FrameKind } from '../wire/messages.js'
import { LocalLink } from './local-link.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bridge } from './bridge.js'

/** Returns a log of what arrives on the link. */
function recordLink(link: Link): string[] {
  const log: string[] = []
  link.receive({ frame: ({ body }) => log.push(Buffer.from(body).toString()), closed: () => log.push('closed') })
  return log
}

test('forwards frames in both directions, and closes both links together', async () => {
  const [[core, near], [far, child]] = [LocalLink.createPair(), LocalLink.createPair()]
  const ended = bridge(near, far)
  const [atCore, atChild] = [recordLink(core), recordLink(child)]
  core.send({ kind: 1, body: 'down' })
  child.send({ kind: 2, body: Buffer.from('up') })
  await nextTurn()
  child.send({ kind: 1, body: 'last' })
  child.close()
  expect(await ended).toEqual({ first: 'far', far: undefined })
  await nextTurn()
  expect(atCore).toEqual(['up', 'last', 'closed'])
  expect(atChild).toEqual(['down', 'closed'])
})

/** Creates a link that records its calls. */
function createRecordingLink() {
  const log: unknown[] = []
  let receiver!: LinkReceiver
  let room: Promise<void> | undefined
  const link: Link = {
    send: ({ body }: Frame) => void log.push(body),
    queued: 0,
    room: () => room,
    pause: () => void log.push('pause'),
    resume: () => void log.push('resume'),
    receive: linkReceiver => void (receiver = linkReceiver),
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

test('pauses a link while the other has no room', async () => {
  const [near, far] = [createRecordingLink(), createRecordingLink()]
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

test('resolves with the fault of the far link', async () => {
  const [near, far] = [createRecordingLink(), createRecordingLink()]
  const ended = bridge(near.link, far.link)
  const fault = new BusError('InvalidRequest', 'broken')
  far.receiver.closed(fault)
  near.receiver.closed()
  expect(await ended).toEqual({ first: 'far', far: fault })
  expect([near.log, far.log]).toEqual([['close'], ['close']])
})

test('forwards as many attachments as a message can have, and treats more as a fault', async () => {
  const [near, far] = [createRecordingLink(), createRecordingLink()]
  const ended = bridge(near.link, far.link)
  const send = (kind: FrameKind, body: Uint8Array): void => far.receiver.frame({ kind, body })
  const large = new Uint8Array(2 ** 26)
  for (const kind of [5, 5, 5, 5, 2, 5, 5, 5, 5, 2] as const) send(kind, kind === 5 ? large : new Uint8Array(1))
  // Empty attachments count with the least size, which bounds their number, too.
  for (let i = 0; i < 2 ** 12; i++) send(5, new Uint8Array(0))
  expect(near.log).toHaveLength(10 + 2 ** 12)
  send(5, new Uint8Array(0))
  near.receiver.closed()
  expect((await ended).far).toMatchObject({ reason: 'InvalidRequest', message: expect.stringContaining('attachments') })
  expect(near.log.slice(10 + 2 ** 12)).toEqual(['close'])
  expect(far.log).toEqual(['close', 'close'])
})

test('leaves the far link open when the near link closes and a callback is given', async () => {
  const [near, far] = [createRecordingLink(), createRecordingLink()]
  const faults: unknown[] = []
  const ended = bridge(near.link, far.link, fault => void faults.push(fault))
  const fault = new BusError('InvalidRequest', 'broken')
  near.receiver.closed(fault)
  expect([near.log, far.log, faults]).toEqual([[], [], [fault]])
  far.receiver.closed()
  expect(await ended).toEqual({ first: 'near', far: undefined })
})

test('forwards frames of any size in order, with at most one window waiting', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(sizes, sizes, fc.integer({ min: 1, max: 7 }), async (downs, ups, every) => {
      const [[core, near], [far, child]] = [LocalLink.createPair(), LocalLink.createPair()]
      const ended = bridge(near, far)
      const largest = Math.max(...downs, ...ups)
      const readSlowly = (link: Link, sizesRead: number[], getQueued: () => number): void =>
        link.receive({
          frame({ body }) {
            sizesRead.push(body.length)
            expect(getQueued()).toBeLessThanOrEqual(CREDIT_WINDOW_BYTES + largest + 64)
            if (sizesRead.length % every) return
            link.pause()
            setImmediate(() => link.resume())
          },
          closed() {},
        })
      const [atCore, atChild]: [number[], number[]] = [[], []]
      readSlowly(core, atCore, () => near.queued)
      readSlowly(child, atChild, () => far.queued)
      for (const size of downs) core.send({ kind: 2, body: new Uint8Array(size) })
      for (const size of ups) child.send({ kind: 2, body: new Uint8Array(size) })
      while (atCore.length < ups.length || atChild.length < downs.length) await nextTurn()
      expect([atCore, atChild]).toEqual([ups, downs])
      child.close()
      await ended
    }),
    { numRuns: 30 },
  )
})
