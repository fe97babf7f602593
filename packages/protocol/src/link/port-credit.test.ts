// The credit window of a port link: it bounds what is in flight to a peer that takes nothing, a peer that exceeds it is cut off, and
// false credit gains a hostile peer nothing.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { recorder, settle } from '../../test/link-behaviour.js'
import { CreditQueue, TakenBytes } from '../wire/flow.js'
import { BUFFER_COST, CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES } from '../wire/limits.js'
import type { Link } from '../wire/link.js'
import { PortLink } from './port-link.js'

const channels: MessageChannel[] = []
afterEach(() => channels.splice(0).forEach(({ port1 }) => port1.close()))

function bare(): { peer: MessagePort; link: Link; seen: ReturnType<typeof recorder>; got: unknown[] } {
  const channel = new MessageChannel()
  channels.push(channel)
  const [seen, got]: [ReturnType<typeof recorder>, unknown[]] = [recorder(), []]
  const link = new PortLink(channel.port2)
  link.receive(seen)
  channel.port1.on('message', data => got.push(data))
  return { peer: channel.port1, link, seen, got }
}

const MiB = 2 ** 20
const frame = (size: number): ArrayBuffer => new Uint8Array(size).fill(1).buffer
const createQueue = () =>
  new CreditQueue<{ bytes: number }>(
    () => {},
    ({ bytes }) => bytes,
  )
const FAULT = 'fault: InvalidRequest: The peer acknowledged more than was sent'

describe('the sender', () => {
  it('sends one window and the frame that exceeds it, and no more until it receives credit', async () => {
    const { peer, link, got } = bare()
    for (let i = 0; i < 100; i++) link.send({ kind: 1, body: new Uint8Array(MiB - 1) })
    await settle()
    expect(got).toHaveLength(8)
    expect(link.queued).toBe(100 * (MiB + BUFFER_COST))
    peer.postMessage(4 * (MiB + BUFFER_COST))
    await settle()
    expect(got).toHaveLength(12)
    expect(link.queued).toBe(96 * (MiB + BUFFER_COST))
  })

  it('counts more than the bytes of small frames', async () => {
    const { link, got } = bare()
    for (let i = 0; i < 40_000; i++) link.send({ kind: 1, body: 'x' })
    const most = Math.ceil(CREDIT_WINDOW_BYTES / (1 + BUFFER_COST))
    await expect.poll(() => got.length).toBe(most)
    await settle()
    expect(got).toHaveLength(most)
  })

  it('treats credit that it cannot have earned as a fault', () =>
    rows({
      'more than was sent': 100 * MiB,
      infinity: Infinity,
      'half a byte': CREDIT_STEP_BYTES + 0.5,
      '2 ** 53': 2 ** 53,
    })(async total => {
      const { peer, link, seen } = bare()
      for (let i = 0; i < 8; i++) link.send({ kind: 1, body: new Uint8Array(MiB) })
      peer.postMessage(total)
      await settle()
      expect(seen.log).toEqual([FAULT])
      expect(link.queued).toBe(0)
    }))

  it('treats a total that is no amount of credit as an invalid frame', () =>
    rows([-1, 0, NaN, CREDIT_STEP_BYTES - 1, 3_000_000n])(async total => {
      const { peer, link, seen } = bare()
      for (let i = 0; i < 8; i++) link.send({ kind: 1, body: new Uint8Array(MiB) })
      peer.postMessage(total)
      await settle()
      expect(seen.log).toEqual(['fault: InvalidRequest: The peer sent an invalid frame'])
    }))

  it('treats the same total again, and a smaller one, as a fault', () =>
    rows([4 * MiB, 3 * MiB])(async total => {
      const { peer, link, seen } = bare()
      for (let i = 0; i < 8; i++) link.send({ kind: 1, body: new Uint8Array(MiB) })
      peer.postMessage(4 * MiB)
      await settle()
      expect(seen.log).toEqual([])
      peer.postMessage(total)
      await settle()
      expect(seen.log).toEqual([FAULT])
    }))

  it('never counts below zero, whatever credit it receives', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4 * MiB), fc.double())), steps => {
        const queue = createQueue()
        for (const [bytes, total] of steps) {
          queue.add({ bytes })
          const before = queue.queued
          if (!queue.acknowledge(total)) expect(queue.queued).toBe(before)
          expect(queue.queued).toBeGreaterThanOrEqual(0)
          expect(queue.queued).toBeLessThanOrEqual(before)
        }
      }),
    )
  })
})

describe('the receiver', () => {
  it('sends credit after each quarter of the window, but not while it is paused', async () => {
    const { peer, link, got } = bare()
    const cost = MiB + BUFFER_COST
    for (let i = 0; i < 4; i++) peer.postMessage(frame(MiB))
    await settle()
    expect(got).toEqual([2 * cost, 4 * cost])
    link.pause()
    for (let i = 0; i < 4; i++) peer.postMessage(frame(MiB))
    await settle()
    expect(got).toHaveLength(2)
    link.resume()
    await settle()
    expect(got.slice(2)).toEqual([6 * cost, 8 * cost])
  })

  it('counts a string by its length', async () => {
    const { peer, link, got } = bare()
    for (let i = 0; i < 4; i++) peer.postMessage('é'.repeat(MiB))
    await settle()
    expect(got).toEqual([2 * (MiB + BUFFER_COST), 4 * (MiB + BUFFER_COST)])
    link.close()
  })

  it('closes when a peer exceeds the window: it has kept one window and one message', async () => {
    const { peer, link, seen } = bare()
    link.pause()
    for (let i = 0; i < 8; i++) peer.postMessage(frame(MiB))
    await settle()
    expect(seen.log).toEqual([])
    peer.postMessage(frame(1))
    await settle()
    expect(seen.log).toEqual(['fault: InvalidRequest: The peer exceeded its credit'])
  })

  it('bounds small messages while it is paused', () =>
    rows<readonly [string, number, () => unknown]>([
      ['strings', 40_000, () => 'x'],
      ['arrays', 400, () => Array.from({ length: 100 }, () => frame(1))],
      ['empty arrays', 40_000, () => []],
      ['numbers of an attachment', 40_000, () => 5],
    ])(async (_name, times, make) => {
      const { peer, link, seen } = bare()
      link.pause()
      for (let i = 0; i < times; i++) peer.postMessage(make())
      await expect.poll(() => seen.log).toHaveLength(1)
      expect(seen.log[0]).toMatch(/^fault: InvalidRequest/)
    }))

  it('treats an invalid frame as a fault while it is paused', async () => {
    const { peer, link, seen } = bare()
    link.pause()
    peer.postMessage([frame(2), 'x'])
    await settle()
    expect(seen.log).toEqual(['fault: InvalidRequest: The peer sent an invalid frame'])
  })

  it('sends totals that its peer accepts, for any frames', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4 * MiB)), costs => {
        const [queue, taken] = [createQueue(), new TakenBytes()]
        for (const bytes of costs) {
          queue.add({ bytes })
          const total = taken.add(bytes)
          if (total > 0) expect(queue.acknowledge(total)).toBe(true)
          expect(queue.queued).toBeLessThan(CREDIT_STEP_BYTES)
        }
      }),
    )
  })
})
