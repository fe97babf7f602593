// Back-pressure of every link: a paused receiver, or a blocked thread, costs a bounded amount, and its peer is notified of room. Each
// kind of link runs these tests with its own pairs.
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { setImmediate as turn } from 'node:timers/promises'
import type { Link } from '../src/wire/link.js'
import { recorder, settle, type Recorder } from './link-behaviour.js'

const body = 'x'.repeat(60_000)
/** More bytes than any link has room for: a ring, or the window of a port. */
const MANY = 300

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

  describe(`${name}, with a slow receiver,`, () => {
    it('has room, and little queued, while everything is received', async () => {
      const { near, atFar } = connect()
      expect([near.queued, near.room()]).toEqual([0, undefined])
      for (let i = 0; i < MANY; i++) {
        near.send({ kind: 1, body })
        expect(near.queued).toBeGreaterThanOrEqual(0)
        await near.room()
      }
      await expect.poll(() => atFar.log.length).toBe(MANY)
      await settle()
      expect(near.room()).toBeUndefined()
      await expect.poll(() => near.queued).toBe(0)
      near.close()
    })

    it('delivers nothing while paused, and everything in order after that', async () => {
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

    it('delivers in the context of nobody: neither of who opened it, nor of who sends or resumes', async () => {
      const user = new AsyncLocalStorage<string>()
      const seen: unknown[] = []
      const [near, far] = user.run('opens', () => {
        const pair = createPair()
        pair[0].receive(recorder())
        pair[1].receive({ frame: () => void seen.push(user.getStore()), closed: () => void seen.push(user.getStore()) })
        pair[1].pause()
        return pair
      })
      user.run('sends', () => near.send({ kind: 1, body: 'a' }))
      await settle()
      user.run('resumes', () => far.resume())
      await expect.poll(() => seen.length).toBe(1)
      user.run('closes', () => near.close())
      await expect.poll(() => seen).toEqual([undefined, undefined])
    })

    it('can be paused from within its receiver, at each frame', async () => {
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

    it('still gets what an end sent that closes, if it waits for room to that end before it reads', async () => {
      const { near, far, atFar } = connect()
      near.pause()
      far.pause()
      for (const end of [near, far]) fill(end)
      await settle()
      void far.room()?.then(() => far.resume())
      near.close()
      await expect.poll(() => atFar.log.length).toBe(MANY + 1)
      expect(atFar.log.at(-1)).toBe('closed')
    })

    it('has no room while it is paused, and notifies everyone who waits when it has room again', async () => {
      const { near, far, atFar } = connect()
      far.pause()
      fill(near)
      await settle()
      const rooms = [near.room(), near.room()]
      expect(rooms.every(room => room instanceof Promise)).toBe(true)
      // The system has taken some of them.
      expect(near.queued).toBeGreaterThan(body.length * MANY - 2 ** 22)
      let notified = 0
      for (const room of rooms) void room!.then(() => notified++)
      await settle()
      expect(notified).toBe(0)
      far.resume()
      for (const room of rooms) await room
      await expect.poll(() => atFar.log.length).toBe(MANY)
      await expect.poll(() => near.room()).toBeUndefined()
      near.close()
    })

    it('can be paused in one direction only', async () => {
      const { near, far, atNear, atFar } = connect()
      far.pause()
      fill(near)
      fill(far)
      await expect.poll(() => atNear.log.length).toBe(MANY)
      expect(atFar.log).toEqual([])
      far.resume()
      await expect.poll(() => atFar.log.length).toBe(MANY)
      near.close()
    })

    it('delivers the end after a pause, but does not let the peer wait for room', async () => {
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

    it('can be closed by its own side while it is paused', async () => {
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

    it('delivers everything that was sent before it closed, even without room', async () => {
      const { near, far, atFar } = connect()
      far.pause()
      fill(near)
      near.close()
      await settle()
      far.resume()
      await expect.poll(() => atFar.log.length).toBe(MANY + 1)
      expect(atFar.log.at(-1)).toBe('closed')
    })

    it('can be resumed without a pause, and twice', async () => {
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
