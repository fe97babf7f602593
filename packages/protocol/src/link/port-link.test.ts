// A link over real MessagePorts. Whatever a hostile peer posts, other than strings, ArrayBuffers and arrays of frames, is a fault that
// closes the link.
import fc from 'fast-check'
import { MessageChannel, MessagePort, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { choose, rows } from '../../../../scripts/testing.js'
import { linkBehaviour, recorder, settle } from '../../test/link-behaviour.js'
import { linkFlow } from '../../test/link-flow.js'
import { CreditQueue, TakenBytes } from '../wire/flow.js'
import { BUFFER_COST, CREDIT_STEP_BYTES, CREDIT_WINDOW_BYTES } from '../wire/limits.js'
import type { Link } from '../wire/link.js'
import { PortLink } from './port-link.js'

const createPair = (): [Link, Link] => {
  const { port1, port2 } = new MessageChannel()
  return [new PortLink(port1), new PortLink(port2)]
}
const createPairOfTwoChannels = (): [Link, Link] => {
  const [forward, backward] = [new MessageChannel(), new MessageChannel()]
  return [new PortLink(forward.port1, backward.port2), new PortLink(backward.port1, forward.port2)]
}
for (const [name, create] of choose([
  ['a port link', createPair],
  ['a port link with a port for each direction', createPairOfTwoChannels],
] as const)) {
  linkBehaviour(name, create)
  linkFlow(name, create)
}

const channels: MessageChannel[] = []
const createChannel = (): MessageChannel => {
  const channel = new MessageChannel()
  channels.push(channel)
  return channel
}
afterEach(() => channels.splice(0).forEach(({ port1 }) => port1.close()))

/** Creates a link, and the bare port that its peer sends to it. Without `inward`, the peer also receives from it. */
function bare(inward?: MessageChannel) {
  const channel = createChannel()
  const seen = recorder()
  const link = new PortLink(channel.port2, inward?.port2)
  link.receive(seen)
  return { peer: (inward ?? channel).port1, out: channel.port1, link, seen }
}

const noFrame = 'fault: InvalidRequest: The peer sent an invalid frame'

describe('a port link', () => {
  it('treats what is not a frame as a fault, closes, and ignores the rest', () =>
    rows({
      'a number': 1,
      'a boolean': true,
      'a bigint': 3_000_000n,
      null: null,
      undefined: undefined,
      'an object': { kind: 1, body: 'x' },
      'a boxed string': new String('{}'),
      'a date': new Date(0),
      'a regular expression': /a/,
      'an error': new Error('x'),
      'a map': new Map([[1, 2]]),
      'a set': new Set([1]),
      'a port': new MessageChannel().port1,
      'a Uint8Array': new Uint8Array([1, 2]),
      'a DataView': new DataView(Uint8Array.from([1, 2]).buffer),
      'shared memory': new SharedArrayBuffer(4),
      'an empty ArrayBuffer': new ArrayBuffer(0),
      'an ArrayBuffer of zeros': new ArrayBuffer(8),
      'an invalid kind': Uint8Array.from([6, 0x7b, 0x7d]).buffer,
      'an attachment with a kind byte': Uint8Array.from([5, 0x7b, 0x7d]).buffer,
      'an array of strings': ['{}'],
      'an array in an array': [[Uint8Array.from([1, 2]).buffer]],
      'an array with a hole': Array(1),
      'an empty array': [],
      'an array of two buffers': [new ArrayBuffer(1), new ArrayBuffer(1)],
      'shared memory in an array': [new SharedArrayBuffer(4)],
      'JSON without a kind': Uint8Array.from([0x7b, 0x7d]).buffer,
    })(async data => {
      const { peer, link, seen } = bare()
      let closed = false
      peer.on('close', () => (closed = true))
      peer.postMessage(Uint8Array.from([1, 0x61]).buffer)
      peer.postMessage(data, data instanceof MessagePort ? [data] : [])
      peer.postMessage(Uint8Array.from([1, 0x62]).buffer)
      await settle()
      expect(seen.log).toEqual(['1:a', noFrame])
      expect(closed).toBe(true)
      link.send({ kind: 1, body: 'x' })
      link.close()
      await settle()
      expect(seen.log).toEqual(['1:a', noFrame])
    }))

  it('treats an unreadable message as a fault', async () => {
    const { peer, seen, link } = bare()
    // Deserialization fails if the other side lacks one of Node's classes. This test emits the event itself.
    peer.postMessage(Uint8Array.from([1, 0x61]).buffer)
    await settle()
    channels.at(-1)!.port2.emit('messageerror', new Error('unreadable'))
    await settle()
    expect(seen.log).toEqual(['1:a', 'fault: InvalidRequest: The peer sent an unreadable message'])
    link.close()
  })

  it('transfers its frames without a copy, and does not change the bytes of the caller', async () => {
    const { peer, link } = bare()
    const post = vi.spyOn(channels.at(-1)!.port2, 'postMessage')
    const body = new Uint8Array([1, 2, 3])
    const received = new Promise<unknown>(resolve => peer.once('message', resolve))
    link.send({ kind: 2, body })
    expect(await received).toEqual(Uint8Array.from([2, 1, 2, 3]).buffer)
    expect((post.mock.calls[0]![0] as ArrayBuffer).byteLength, 'transferred').toBe(0)
    expect(body).toEqual(new Uint8Array([1, 2, 3]))
  })

  it('carries an attachment as the only item of an array', async () => {
    const { peer, link, seen } = bare()
    const received: unknown[] = []
    peer.on('message', data => received.push(data))
    link.send({ kind: 5, body: new Uint8Array([1]) })
    link.send({ kind: 2, body: 'm' })
    peer.postMessage([Uint8Array.from([0x61]).buffer])
    await settle()
    expect(received).toEqual([[Uint8Array.from([1]).buffer], Uint8Array.from([2, 0x6d]).buffer])
    expect(seen.log).toEqual(['5:a'])
  })

  it('copies an attachment only if it is not alone in its buffer', async () => {
    const [near, far] = createPair()
    const bodies: Uint8Array[] = []
    far.receive({ frame: ({ body }) => bodies.push(body as Uint8Array), closed: () => {} })
    const [alone, part] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2).subarray(2)]
    near.send({ kind: 5, body: alone })
    near.send({ kind: 5, body: part })
    near.send({ kind: 2, body: 'x' })
    await settle()
    expect([alone.length, part.length]).toEqual([0, 6])
    expect(bodies.slice(0, 2)).toEqual([new Uint8Array(8).fill(1), new Uint8Array(6).fill(2)])
    for (const body of bodies.slice(0, 2)) expect(body.buffer.byteLength).toBe(body.byteLength)
    near.close()
  })

  it('carries JSON as an unchanged string', async () => {
    const { peer, link, seen } = bare()
    const received: unknown[] = []
    peer.on('message', data => received.push(data))
    link.send({ kind: 1, body: '{"é":"\ud800"}' })
    peer.postMessage('')
    peer.postMessage('{"é":"漢"}')
    await settle()
    expect(received).toEqual(['{"é":"\ud800"}'])
    expect(seen.log).toEqual(['1:', '1:{"é":"漢"}'])
  })

  it('treats anything from the peer that it only sends to as a fault', () =>
    rows([Uint8Array.from([1, 0x61]).buffer, '{}', '3000000', [[3_000_000]], null])(async data => {
      const { link, out, seen } = bare(createChannel())
      for (let i = 0; i < 4; i++) link.send({ kind: 1, body: new Uint8Array(2 ** 20) })
      out.postMessage(data)
      await settle()
      expect(seen.log).toEqual(['fault: InvalidRequest: The peer acknowledged more than was sent'])
    }))

  it('treats credit from the peer that it only receives from as a fault', async () => {
    const { link, peer, seen } = bare(createChannel())
    for (let i = 0; i < 4; i++) link.send({ kind: 1, body: new Uint8Array(2 ** 20) })
    peer.postMessage(3_000_000)
    await settle()
    expect(seen.log).toEqual([noFrame])
  })

  it('ends when the thread of its peer exits', async () => {
    const { port1, port2 } = new MessageChannel()
    const seen = recorder()
    new PortLink(port2).receive(seen)
    const code = `const { workerData } = require('node:worker_threads')
      workerData.postMessage(Uint8Array.from([1, 0x61]).buffer)
      setTimeout(() => process.exit(), 20)`
    const worker = new Worker(code, { eval: true, workerData: port1, transferList: [port1] })
    await new Promise(resolve => worker.once('exit', resolve))
    await settle()
    expect(seen.log).toEqual(['1:a', 'closed'])
  })
})

// The credit window of a port link: it bounds what is in flight to a peer that takes nothing, a peer that exceeds it is cut off, and
// false credit gains a hostile peer nothing.

/** The bare port, and what it gets. */
function credited() {
  const { peer, link, seen } = bare()
  const got: unknown[] = []
  peer.on('message', data => got.push(data))
  return { peer, link, seen, got }
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
    const { peer, link, got } = credited()
    for (let i = 0; i < 100; i++) link.send({ kind: 1, body: new Uint8Array(MiB - 1) })
    await settle()
    expect(got).toHaveLength(8)
    expect(link.queued).toBe(100 * (MiB + BUFFER_COST))
    peer.postMessage(4 * (MiB + BUFFER_COST))
    await settle()
    expect(got).toHaveLength(12)
    expect(link.queued).toBe(96 * (MiB + BUFFER_COST))
  })

  it('has nothing queued until the receiver would report what it took', () =>
    rows([
      [CREDIT_STEP_BYTES - 1, 0],
      [CREDIT_STEP_BYTES, CREDIT_STEP_BYTES],
    ])((bytes, queued) => {
      const queue = createQueue()
      queue.add({ bytes })
      expect(queue.queued).toBe(queued)
    }))

  it('counts more than the bytes of small frames', async () => {
    const { link, got } = credited()
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
      const { peer, link, seen } = credited()
      for (let i = 0; i < 8; i++) link.send({ kind: 1, body: new Uint8Array(MiB) })
      peer.postMessage(total)
      await settle()
      expect(seen.log).toEqual([FAULT])
      expect(link.queued).toBe(0)
    }))

  it('treats a total that is no amount of credit as an invalid frame', () =>
    rows([-1, 0, NaN, CREDIT_STEP_BYTES - 1, 3_000_000n])(async total => {
      const { peer, link, seen } = credited()
      for (let i = 0; i < 8; i++) link.send({ kind: 1, body: new Uint8Array(MiB) })
      peer.postMessage(total)
      await settle()
      expect(seen.log).toEqual(['fault: InvalidRequest: The peer sent an invalid frame'])
    }))

  it('treats the same total again, and a smaller one, as a fault', () =>
    rows([4 * MiB, 3 * MiB])(async total => {
      const { peer, link, seen } = credited()
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
    const { peer, link, got } = credited()
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
    const { peer, link, got } = credited()
    for (let i = 0; i < 4; i++) peer.postMessage('é'.repeat(MiB))
    await settle()
    expect(got).toEqual([2 * (MiB + BUFFER_COST), 4 * (MiB + BUFFER_COST)])
    link.close()
  })

  it('closes when a peer exceeds the window: it has kept one window and one message', async () => {
    const { peer, link, seen } = credited()
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
      const { peer, link, seen } = credited()
      link.pause()
      for (let i = 0; i < times; i++) peer.postMessage(make())
      await expect.poll(() => seen.log).toHaveLength(1)
      expect(seen.log[0]).toMatch(/^fault: InvalidRequest/)
    }))

  it('treats an invalid frame as a fault while it is paused', async () => {
    const { peer, link, seen } = credited()
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
