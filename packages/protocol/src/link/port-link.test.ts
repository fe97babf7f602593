// A link over a real MessagePort, and what a hostile side may post instead of frames: everything that is not an ArrayBuffer
// with a frame in it is a fault that closes the link.
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { linkBehaviour, recorder, settle } from '../../test/link-behaviour.js'
import { linkFlow } from '../../test/link-flow.js'
import type { Link } from '../wire/link.js'
import { createPortLink } from './port-link.js'

const createPair = (): [Link, Link] => {
  const { port1, port2 } = new MessageChannel()
  return [createPortLink(port1), createPortLink(port2)]
}
linkBehaviour('a port link', createPair)
linkFlow('a port link', createPair)

const channels: MessageChannel[] = []
afterEach(() => channels.splice(0).forEach(({ port1 }) => port1.close()))

/** A link, and the bare port of its peer. */
function bare() {
  const channel = new MessageChannel()
  channels.push(channel)
  const seen = recorder()
  const link = createPortLink(channel.port2)
  link.receive(seen)
  return { peer: channel.port1, link, seen }
}

const noFrame = 'fault: InvalidRequest: The peer sent an invalid frame'

describe('a port link', () => {
  it.each([
    ['a string', '{"jsonrpc":"2.0"}'],
    ['a number', 1],
    ['null', null],
    ['undefined', undefined],
    ['an object', { kind: 1, body: 'x' }],
    ['a Uint8Array', new Uint8Array([1, 2])],
    ['shared memory', new SharedArrayBuffer(4)],
    ['an empty ArrayBuffer', new ArrayBuffer(0)],
    ['an ArrayBuffer of zeros', new ArrayBuffer(8)],
    ['a kind that is none', Uint8Array.from([6, 0x7b, 0x7d]).buffer],
    ['an attachment with a kind byte', Uint8Array.from([5, 0x7b, 0x7d]).buffer],
    ['another number', 6],
    ['a list of something else', ['{}']],
    ['a list in a list', [[Uint8Array.from([1, 2]).buffer]]],
    ['a list with a hole', Array(1)],
    ['an attachment with a kind byte in a list', [Uint8Array.from([5, 2]).buffer]],
    ['a list that is too long', Array.from({ length: 8194 }, () => Uint8Array.from([1, 2]).buffer)],
    ['JSON without a kind', Uint8Array.from([0x7b, 0x7d]).buffer],
  ])('takes %s for a fault: it closes, and takes nothing more', async (_name, data) => {
    const { peer, link, seen } = bare()
    let closed = false
    peer.on('close', () => (closed = true))
    peer.postMessage(Uint8Array.from([1, 0x61]).buffer)
    peer.postMessage(data)
    peer.postMessage(Uint8Array.from([1, 0x62]).buffer)
    await settle()
    expect(seen.log).toEqual(['1:a', noFrame])
    expect(closed).toBe(true)
    link.send({ kind: 1, body: 'x' })
    link.close()
    await settle()
    expect(seen.log).toEqual(['1:a', noFrame])
  })

  it('takes what can’t be deserialized for a fault', async () => {
    const { peer, seen, link } = bare()
    // Deserializing fails in Node where a class of its own does not exist on the other side; here it is said outright.
    peer.postMessage(Uint8Array.from([1, 0x61]).buffer)
    await settle()
    channels.at(-1)!.port2.emit('messageerror', new Error('unreadable'))
    await settle()
    expect(seen.log).toEqual(['1:a', 'fault: InvalidRequest: The peer sent an unreadable message'])
    link.close()
  })

  it('gives its frames away without a copy, and leaves the caller’s bytes alone', async () => {
    const { peer, link } = bare()
    const post = vi.spyOn(channels.at(-1)!.port2, 'postMessage')
    const body = new Uint8Array([1, 2, 3])
    const received = new Promise<unknown>(resolve => peer.once('message', resolve))
    link.send({ kind: 2, body })
    expect(await received).toEqual(Uint8Array.from([2, 1, 2, 3]).buffer)
    expect((post.mock.calls[0]![0] as ArrayBuffer).byteLength, 'given away').toBe(0)
    expect(body).toEqual(new Uint8Array([1, 2, 3]))
  })

  it.each([
    ['the number again', 5],
    ['a Uint8Array', new Uint8Array(4)],
    ['shared memory', new SharedArrayBuffer(4)],
    ['an object', { data: new ArrayBuffer(4) }],
  ])('takes an attachment’s number and then %s for a fault', async (_name, data) => {
    const { peer, seen } = bare()
    peer.postMessage(5)
    peer.postMessage(data)
    await settle()
    expect(seen.log).toEqual([noFrame])
  })

  it('takes frames in a list as if each had been posted, and nothing of a list with one that is none', async () => {
    const { peer, seen } = bare()
    const frame = (...bytes: number[]): ArrayBuffer => Uint8Array.from(bytes).buffer
    peer.postMessage([])
    peer.postMessage([frame(1, 0x61), 5, frame(0x62), 5])
    peer.postMessage([frame(0x63), frame(2, 0x64)])
    peer.postMessage([frame(1, 0x65), null])
    await settle()
    expect(seen.log).toEqual(['1:a', '5:b', '5:c', '2:d', noFrame])
  })

  it('posts what belongs together at once', async () => {
    const { peer, link } = bare()
    const received: unknown[] = []
    peer.on('message', data => received.push(data))
    const record = (byte: number): Uint8Array => Uint8Array.from([0, byte]).subarray(1)
    link.send({ kind: 5, body: new Uint8Array([1]) })
    link.send({ kind: 2, body: 'm' })
    link.send({ kind: 3, body: record(2), more: true })
    link.send({ kind: 3, body: record(3), more: false })
    await settle()
    const buffer = (...bytes: number[]): ArrayBuffer => Uint8Array.from(bytes).buffer
    expect(received).toEqual([
      [5, buffer(1), buffer(2, 0x6d)],
      [buffer(3, 2), buffer(3, 3)],
    ])
  })

  it('carries an attachment without a copy, and what is not alone in its buffer with one', async () => {
    const { port1, port2 } = new MessageChannel()
    const [near, far] = [createPortLink(port1), createPortLink(port2)]
    const bodies: Uint8Array[] = []
    far.receive({ frame: ({ body }) => bodies.push(body), closed: () => {} })
    const [alone, part] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2).subarray(2)]
    near.send({ kind: 5, body: alone })
    near.send({ kind: 5, body: part })
    near.send({ kind: 1, body: 'x' })
    await settle()
    expect([alone.length, part.length]).toEqual([0, 6])
    expect(bodies.slice(0, 2)).toEqual([new Uint8Array(8).fill(1), new Uint8Array(6).fill(2)])
    for (const body of bodies.slice(0, 2)) expect(body.buffer.byteLength).toBe(body.byteLength)
    near.close()
  })

  it('ends when the thread of its peer ends', async () => {
    const { port1, port2 } = new MessageChannel()
    const seen = recorder()
    createPortLink(port2).receive(seen)
    const code = `const { workerData } = require('node:worker_threads')
      workerData.postMessage(Uint8Array.from([1, 0x61]).buffer)
      setTimeout(() => process.exit(), 20)`
    const worker = new Worker(code, { eval: true, workerData: port1, transferList: [port1] })
    await new Promise(resolve => worker.once('exit', resolve))
    await settle()
    expect(seen.log).toEqual(['1:a', 'closed'])
  })
})
