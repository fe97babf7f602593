// The behavior of every link. Each kind of link runs these tests with its own pairs.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { LINGER_MS, type Link, type LinkReceiver } from '../src/wire/link.js'

export interface Recorder extends LinkReceiver {
  /** `kind:text` for each frame, and `closed` or `fault: reason: text`. */
  readonly log: string[]
}

export function recorder(): Recorder {
  const log: string[] = []
  return {
    log,
    frame: ({ kind, body }) => log.push(`${kind}:${Buffer.from(body).toString()}`),
    closed: fault => log.push(fault ? `fault: ${fault.reason}: ${fault.message}` : 'closed'),
  }
}

/** Waits for ports and rings within this thread: on a busy machine ticks count, not time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 100; i++) await turn()
}

/**
 * @param settled - resolves when everything that was sent in this thread has arrived
 * @param keepsSent - true if what was sent needs its end no more: the memory of a thread, or a library has it
 */
export function linkBehaviour(name: string, createPair: () => [Link, Link], settled = settle, keepsSent = false): void {
  const connect = (): { near: Link; far: Link; atNear: Recorder; atFar: Recorder } => {
    const [near, far] = createPair()
    const [atNear, atFar] = [recorder(), recorder()]
    near.receive(atNear)
    far.receive(atFar)
    return { near, far, atNear, atFar }
  }

  describe(`${name}, like every link,`, () => {
    it('delivers frames of every kind in both directions, in order', async () => {
      const { near, far, atNear, atFar } = connect()
      const sent = Array.from({ length: 500 }, (_, i) => ({ kind: ((i % 3) + 1) as 1 | 2 | 3, body: `${i}` }))
      for (const frame of sent) near.send(frame)
      for (const frame of sent) far.send({ ...frame, body: Buffer.from(frame.body) })
      await settled()
      const expected = sent.map(({ kind, body }) => `${kind}:${body}`)
      expect(atFar.log).toEqual(expected)
      expect(atNear.log).toEqual(expected)
      near.close()
    })

    it('delivers attachments between other frames, in order', async () => {
      const { near, atFar } = connect()
      near.send({ kind: 1, body: 'a' })
      near.send({ kind: 5, body: new Uint8Array(Buffer.from('bytes')) })
      near.send({ kind: 5, body: new Uint8Array(300_000).fill(0x62) })
      near.send({ kind: 2, body: 'c' })
      await settled()
      await expect.poll(() => atFar.log.length).toBe(4)
      expect(atFar.log).toEqual(['1:a', '5:bytes', `5:${'b'.repeat(300_000)}`, '2:c'])
      near.close()
    })

    it('ends alone if its receiver throws in a thread that others share', async () => {
      const [near, far] = createPair()
      const [atNear, atFar] = [recorder(), recorder()]
      near.receive(atNear)
      const frame: LinkReceiver['frame'] = received => {
        atFar.frame(received)
        throw new RangeError('broken')
      }
      far.receive({ ...atFar, frame, isShared: true })
      for (const body of ['a', 'b']) near.send({ kind: 1, body })
      await settled()
      const ended = [['closed'], ['1:a', 'fault: InternalError: A frame was not handled: broken']]
      await expect.poll(() => [atNear.log, atFar.log]).toEqual(ended)
    })

    it('delivers an empty body, and one of a mebibyte', async () => {
      const { near, atFar } = connect()
      near.send({ kind: 1, body: '' })
      near.send({ kind: 2, body: new Uint8Array(2 ** 20).fill(0x61) })
      await settled()
      // A small ring takes it in parts: on a busy machine, not all of them within these ticks.
      await expect.poll(() => atFar.log.length).toBe(2)
      expect(atFar.log).toEqual(['1:', `2:${'a'.repeat(2 ** 20)}`])
      near.close()
    })

    it('keeps frames for a late receiver', async () => {
      const [near, far] = createPair()
      near.send({ kind: 1, body: 'a' })
      near.send({ kind: 1, body: 'b' })
      await settled()
      const late = recorder()
      far.receive(late)
      await settled()
      near.send({ kind: 1, body: 'c' })
      await settled()
      expect(late.log).toEqual(['1:a', '1:b', '1:c'])
      near.close()
    })

    it('keeps frames and the end for a receiver that comes after the end', async () => {
      const [near, far] = createPair()
      near.send({ kind: 1, body: 'a' })
      near.close()
      await settled()
      const late = recorder()
      far.receive(late)
      await settled()
      expect(late.log).toEqual(['1:a', 'closed'])
    })

    it('notifies a late receiver of an end without frames', async () => {
      const [near, far] = createPair()
      near.close()
      await settled()
      const [atNear, atFar] = [recorder(), recorder()]
      near.receive(atNear)
      far.receive(atFar)
      expect([atNear.log, atFar.log], 'never within receive').toEqual([[], []])
      await settled()
      expect([atNear.log, atFar.log]).toEqual([['closed'], ['closed']])
    })

    it('closes on both sides, once, after the frames that were sent before', async () => {
      const { near, far, atNear, atFar } = connect()
      near.send({ kind: 1, body: 'last' })
      near.close()
      near.close()
      await settled()
      far.close()
      await settled()
      expect(atFar.log).toEqual(['1:last', 'closed'])
      expect(atNear.log).toEqual(['closed'])
    })

    it('has ended for the side that closed once all that it sent has left, whatever its size', async () => {
      const [near, far] = createPair()
      const atNear = recorder()
      let received = 0
      near.receive(atNear)
      far.receive({ frame: ({ body }) => void (received += body.length), closed: () => {} })
      far.pause()
      const size = 2 ** 22
      for (let i = 0; i < 5; i++) near.send({ kind: 2, body: new Uint8Array(size) })
      await settled()
      near.close()
      await settled()
      if (!keepsSent) expect(atNear.log).toEqual([])
      far.resume()
      await expect.poll(() => [atNear.log, received]).toEqual([['closed'], 5 * size])
    })

    it('delivers only the end to the side that closed', async () => {
      const { near, far, atNear } = connect()
      far.send({ kind: 1, body: 'too late' })
      near.close()
      far.send({ kind: 1, body: 'later' })
      await settled()
      expect(atNear.log).toEqual(['closed'])
    })

    it('drops frames that are sent after the end', async () => {
      const { near, far, atNear, atFar } = connect()
      near.close()
      near.send({ kind: 1, body: 'a' })
      await settled()
      far.send({ kind: 1, body: 'b' })
      near.send({ kind: 1, body: 'c' })
      await settled()
      expect([atNear.log, atFar.log]).toEqual([['closed'], ['closed']])
    })

    it('can be closed by its receiver in the middle of frames', async () => {
      const [near, far] = createPair()
      const seen = recorder()
      far.receive({
        frame: frame => {
          seen.frame(frame)
          if (seen.log.length === 2) far.close()
        },
        closed: seen.closed,
      })
      for (const body of ['a', 'b', 'c', 'd']) near.send({ kind: 1, body })
      await settled()
      expect(seen.log).toEqual(['1:a', '1:b', 'closed'])
    })

    it('delivers nothing within send or close, to neither end', async () => {
      const { near, far, atNear, atFar } = connect()
      far.send({ kind: 1, body: 'before' })
      near.send({ kind: 1, body: 'request' })
      near.send({ kind: 5, body: new Uint8Array(300_000) })
      near.close()
      expect([atNear.log, atFar.log]).toEqual([[], []])
      await settled()
      expect(atNear.log).toEqual(['closed'])
    })

    it('can send from within a receiver', async () => {
      const { near, far } = connect()
      const seen = recorder()
      far.receive({ frame: frame => far.send({ kind: frame.kind, body: frame.body }), closed: () => {} })
      near.receive(seen)
      near.send({ kind: 3, body: 'echo' })
      await settled()
      expect(seen.log).toEqual(['3:echo'])
      near.close()
    })

    if (keepsSent) return
    it('gives up what nobody takes for 30 s after it has closed, and says how much', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const [near, far] = createPair()
      const atNear = recorder()
      near.receive(atNear)
      far.receive(recorder())
      far.pause()
      for (let i = 0; i < 5; i++) near.send({ kind: 2, body: new Uint8Array(2 ** 22) })
      near.close()
      await settled()
      vi.advanceTimersByTime(LINGER_MS)
      await settled()
      vi.useRealTimers()
      expect(atNear.log).toEqual(['closed'])
      expect(near.unsent).toBeGreaterThan(2 ** 20)
      far.close()
    })

    it('keeps what waits when this thread was suspended, and its peer with it', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const [near, far] = createPair()
      const [atNear, atFar] = [recorder(), recorder()]
      near.receive(atNear)
      far.receive(atFar)
      far.pause()
      for (let i = 0; i < 5; i++) near.send({ kind: 2, body: new Uint8Array(2 ** 22) })
      near.close()
      await settled()
      // Each timer is late, and runs once before anything is read.
      vi.runOnlyPendingTimers()
      far.resume()
      await expect.poll(() => [atFar.log.length, atNear.log]).toEqual([6, ['closed']])
      vi.useRealTimers()
      expect(near.unsent).toBe(0)
    })
  })
}
