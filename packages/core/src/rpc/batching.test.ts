// When late answers leave: with those of other callbacks of the same turn, but not later than promises alone take.
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { call, Peer, setUp } from '../../test/peer.js'
import { onEndOfTick, flushAfterMicrotasks } from './batching.js'

/** Names in the order in which they were told, up to the end of the next turn. */
async function order(run: (tell: (name: string) => () => void) => void): Promise<string[]> {
  const told: string[] = []
  run(name => () => told.push(name))
  await delay(5)
  return told
}

const settled = async (hops: number): Promise<void> => {
  for (let hop = 0; hop < hops; hop++) await Promise.resolve()
}

describe('the end of the turn', () => {
  test('is behind all that is ready, where no frame has come in', async () => {
    const told = await order(tell => {
      setImmediate(tell('immediate'))
      onEndOfTick(tell('end'))
      void settled(5).then(tell('promises'))
      process.nextTick(tell('tick'))
    })
    expect(told).toEqual(['promises', 'tick', 'immediate', 'end'])
  })

  test('is when promises have settled, where one has', async () => {
    const told = await order(tell => {
      setImmediate(tell('immediate'))
      flushAfterMicrotasks()
      void settled(9).then(() => {
        tell('promises')()
        onEndOfTick(tell('end'))
      })
    })
    expect(told).toEqual(['promises', 'end', 'immediate'])
  })

  test('is that again in the next turn', async () => {
    flushAfterMicrotasks()
    await delay(1)
    const told = await order(tell => {
      onEndOfTick(tell('end'))
      process.nextTick(tell('tick'))
    })
    expect(told).toEqual(['tick', 'end'])
  })
})

describe('answers', () => {
  const commands = {
    // Each in a callback of its own, one after the other.
    late: () => new Promise(resolve => setImmediate(resolve, 'late')),
    soon: async () => {
      await settled(5)
      return 'soon'
    },
    now: () => 'now',
  }
  const answersTo = async (...names: string[]): Promise<Peer> => {
    const peer = new Peer((await setUp('brownfield', commands)).core, 'main')
    peer.send(`[${names.map((name, id) => call(id, name)).join()}]`)
    for (const _ of names) await peer.next()
    return peer
  }

  test('of callbacks of one turn share a frame', async () => {
    expect((await answersTo('late', 'late', 'late', 'late')).frames).toBe(1)
  })

  test('that are there at once do not wait for those that promises bring', async () => {
    expect((await answersTo('soon', 'now', 'soon', 'now')).frames).toBe(2)
  })
})
