// Back-pressure, as every link has it, whatever carries it: a receiver that is paused, or whose thread has no turn, costs a
// bounded amount, and its peer hears of room again. Each kind of link runs these tests against a pair of its own.
import { describe, expect, it } from 'vitest'
import { setImmediate as turn } from 'node:timers/promises'
import type { Link } from '../src/wire/link.js'
import { recorder, settle, type Recorder } from './link-behaviour.js'

const body = 'x'.repeat(60_000)
/** More than any link has room for: a ring beside its memory, the window of a port. */
const MANY = 300
/** On a machine that is busy. */
const PATIENCE = { timeout: 10_000 }

export function linkFlow(name: string, createPair: () => [Link, Link]): void {
  const connect = (): { near: Link; far: Link; atNear: Recorder; atFar: Recorder } => {
    const [near, far] = createPair()
    const [atNear, atFar] = [recorder(), recorder()]
    near.receive(atNear)
    far.receive(atFar)
    return { near, far, atNear, atFar }
  }
  const fill = (link: Link): void => {
    for (let i = 0; i < MANY; i++) link.send({ kind: 1, body })
  }

  describe(`${name}, where its receiver is slow,`, () => {
    it('has room, and little queued, while everything is taken', async () => {
      const { near, atFar } = connect()
      expect([near.queued, near.room()]).toEqual([0, undefined])
      for (let i = 0; i < MANY; i++) {
        near.send({ kind: 1, body })
        expect(near.queued).toBeGreaterThanOrEqual(0)
        await near.room()
      }
      await expect.poll(() => atFar.log.length, PATIENCE).toBe(MANY)
      await settle()
      expect(near.room()).toBeUndefined()
      expect(near.queued).toBeLessThanOrEqual(2 ** 22)
      near.close()
    })

    it('paused, delivers nothing; resumed, all of it in order', async () => {
      const { near, far, atFar } = connect()
      near.send({ kind: 1, body: 'a' })
      await settle()
      far.pause()
      for (const text of ['b', 'c']) near.send({ kind: 1, body: text })
      near.send({ kind: 5, body: new Uint8Array(Buffer.from('d')) })
      near.send({ kind: 2, body: 'e' })
      await settle()
      expect(atFar.log).toEqual(['1:a'])
      far.resume()
      near.send({ kind: 1, body: 'f' })
      await expect.poll(() => atFar.log).toEqual(['1:a', '1:b', '1:c', '5:d', '2:e', '1:f'])
      near.close()
    })

    it('may be paused from within its receiver, at each frame', async () => {
      const [near, far] = createPair()
      const seen: string[] = []
      let paused = false
      far.receive({
        frame({ body: bytes }) {
          expect(paused, 'nothing while it is paused').toBe(false)
          seen.push(Buffer.from(bytes).toString())
          paused = true
          far.pause()
          setImmediate(() => {
            paused = false
            far.resume()
          })
        },
        closed: () => seen.push('closed'),
      })
      const all = Array.from({ length: 50 }, (_, i) => `${i}`)
      for (const text of all) near.send({ kind: 1, body: text })
      near.send({ kind: 5, body: new Uint8Array(Buffer.from('attached')) })
      near.send({ kind: 2, body: 'to this' })
      near.close()
      await expect.poll(() => seen).toEqual([...all, 'attached', 'to this', 'closed'])
    })

    it('tells of no room while it is paused, of what is queued, and of room again to all who wait', async () => {
      const { near, far, atFar } = connect()
      far.pause()
      fill(near)
      await settle()
      const rooms = [near.room(), near.room()]
      expect(rooms.every(room => room instanceof Promise)).toBe(true)
      expect(near.queued).toBeGreaterThanOrEqual(body.length * MANY)
      let told = 0
      for (const room of rooms) void room!.then(() => told++)
      await settle()
      expect(told).toBe(0)
      far.resume()
      for (const room of rooms) await room
      await expect.poll(() => atFar.log.length, PATIENCE).toBe(MANY)
      await expect.poll(() => near.room()).toBeUndefined()
      near.close()
    })

    it('keeps both ways apart: what is paused one way goes on the other', async () => {
      const { near, far, atNear, atFar } = connect()
      far.pause()
      fill(near)
      fill(far)
      await expect.poll(() => atNear.log.length, PATIENCE).toBe(MANY)
      expect(atFar.log).toEqual([])
      far.resume()
      await expect.poll(() => atFar.log.length, PATIENCE).toBe(MANY)
      near.close()
    })

    it('paused, holds back the end behind what came before; whoever waits for room waits no longer', async () => {
      const { near, far, atFar } = connect()
      far.pause()
      fill(far)
      near.pause()
      const room = far.room()!
      near.send({ kind: 1, body: 'last' })
      await settle()
      near.close()
      await room
      await settle()
      expect(atFar.log).toEqual([])
      expect(far.room()).toBeUndefined()
      expect(far.queued).toBe(0)
      far.resume()
      await expect.poll(() => atFar.log).toEqual(['1:last', 'closed'])
    })

    it('paused, is closed by its own side all the same, before and after its peer', async () => {
      for (const first of ['own', 'peer'] as const) {
        const { near, far, atFar } = connect()
        far.pause()
        near.send({ kind: 1, body: 'unread' })
        await settle()
        if (first === 'peer') {
          near.close()
          await settle()
        }
        far.close()
        expect(atFar.log, 'never within close').toEqual([])
        await expect.poll(() => atFar.log).toEqual(['closed'])
        far.resume()
        await settle()
        expect(atFar.log).toEqual(['closed'])
      }
    })

    it('closed with more than there is room for, still brings all of it', async () => {
      const { near, far, atFar } = connect()
      far.pause()
      fill(near)
      near.close()
      await settle()
      far.resume()
      await expect.poll(() => atFar.log.length, PATIENCE).toBe(MANY + 1)
      expect(atFar.log.at(-1)).toBe('closed')
    })

    it('delivers as before where it is resumed without a pause, or twice', async () => {
      const { near, far, atFar } = connect()
      far.resume()
      far.pause()
      far.resume()
      far.resume()
      far.pause()
      far.resume()
      for (let i = 0; i < 3; i++) near.send({ kind: 1, body: `${i}` })
      await turn()
      await expect.poll(() => atFar.log).toEqual(['1:0', '1:1', '1:2'])
      near.close()
    })
  })
}
