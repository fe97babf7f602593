import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSubject } from '../connection/subjects.js'
import { HalfOpenSessions, JoinedSessions, type JoinedSessionsDeps } from './joined-sessions.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Dropped sessions are removed, as `JoinedSessions` does it. */
function create() {
  const halfOpen = new HalfOpenSessions()
  const dropped: string[] = []
  const add = (session: string, credential: string): void =>
    halfOpen.add(session, credential, () => {
      dropped.push(session)
      halfOpen.delete(session)
    })
  return { halfOpen, dropped, add }
}

describe('HalfOpenSessions', () => {
  it('drops a session that has no message within ten seconds', () => {
    const { halfOpen, dropped, add } = create()
    add('a', 'ann')
    add('b', 'bob')
    halfOpen.delete('b')
    vi.advanceTimersByTime(9_999)
    expect(dropped).toEqual([])
    vi.advanceTimersByTime(2)
    expect(dropped).toEqual(['a'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps a session whose first message is not read yet, because this process was suspended', () => {
    const { halfOpen, dropped, add } = create()
    add('a', 'ann')
    vi.advanceTimersByTime(9_999)
    // The last turn is late, and the message arrived before.
    vi.advanceTimersToNextTimer()
    halfOpen.delete('a')
    vi.advanceTimersByTime(60_000)
    expect(dropped).toEqual([])
  })

  it('drops the oldest of more than four sessions with one credential', () => {
    const { dropped, add } = create()
    for (const session of ['1', '2', '3', '4', '5', '6']) add(session, 'ann')
    add('7', 'bob')
    expect(dropped).toEqual(['1', '2'])
  })

  it('is full with 1024 sessions', () => {
    const { halfOpen, add } = create()
    for (let i = 0; i < 1023; i++) add(`${i}`, `${i}`)
    expect(halfOpen.isFull).toBe(false)
    add('last', 'last')
    expect(halfOpen.isFull).toBe(true)
    halfOpen.delete('5')
    expect(halfOpen.isFull).toBe(false)
    halfOpen.dropAll()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('JoinedSessions', () => {
  it('forgets all of a session that it drops', async () => {
    let sayHello = (_message: object): void => {}
    let count = 0
    const connection = {
      maxPayload: 2 ** 20,
      subscribe: (subject: string, listener: typeof sayHello) => {
        if (subject === openSubject('b')) sayHello = listener
        return { drain: () => Promise.resolve() }
      },
      publish: () => {},
    }
    const respond = () => {
      const keys = { session: new Uint8Array(16).fill(++count), wire: new Uint8Array(32), gate: new Uint8Array(32) }
      return {
        answer: new Uint8Array(),
        session: { label: 'main', codec: 'json', client: 'c', credential: 'ann', keys },
      }
    }
    const deps = { connection, bus: 'b', instance: 'i', heartbeat: 1000, responder: { respond } }
    const sessions = new JoinedSessions(deps as unknown as JoinedSessionsDeps)
    sessions.listen()
    const open = (hellos: number): number => {
      for (let hello = 1; hello <= hellos; hello++) sayHello({ data: new Uint8Array(), reply: 'reply' })
      return vi.getTimerCount()
    }
    const most = open(4)
    expect(most).toBeGreaterThan(0)
    expect(open(20), 'of four at most, as before').toBe(most)
    await sessions.drain()
  })
})
