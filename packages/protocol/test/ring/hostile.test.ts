// Attacks of a hostile thread on a ring link. Each is a fault that closes the link; none causes a hang, a crash or a disclosure.
import { setTimeout as delay } from 'node:timers/promises'
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { MAX_OUT_OF_BAND_BYTES } from '../../src/link/ring/out-of-band.js'
import { RING_WORD, createRingBuffers, openRing, type RingMemory } from '../../src/link/ring/ring-buffer.js'
import { createRingLink } from '../../src/link/ring/ring-link.js'
import { RingWriter } from '../../src/link/ring/ring-buffer.js'
import { recorder, settle } from '../link-behaviour.js'

const ports: MessagePort[] = []
afterEach(() => ports.splice(0).forEach(port => port.close()))

/** Creates a link, and what its peer has: the memory of both rings and a port. */
function bare(bytes = 4096) {
  const [inRing, outRing] = createRingBuffers(bytes)
  const { port1, port2 } = new MessageChannel()
  ports.push(port1)
  const seen = recorder()
  const link = createRingLink({ out: outRing, in: inRing, port: port2 })
  link.receive(seen)
  const writer = new RingWriter(openRing(inRing))
  const write = (kind: number, length: number, outOfBandBytes: number): void => {
    const at = writer.reserve(length)
    writer.bytes.fill(0x61, at, at + length)
    writer.publish(kind, length, outOfBandBytes)
    writer.wake()
  }
  return { inRing: openRing(inRing), outRing: openRing(outRing), writer, write, link, seen, port: port1 }
}

const violation = (what: string): string => `fault: InvalidRequest: The peer violated the ring protocol: ${what}`

describe('a ring link', () => {
  it.each<[string, (write: ReturnType<typeof bare>['write']) => void, string]>([
    ['an invalid kind', write => write(0, 4, 0), 'invalid kind of frame'],
    ['another invalid kind', write => write(9, 4, 0), 'invalid kind of frame'],
    ['a frame over the limit', write => write(1, 0, MAX_OUT_OF_BAND_BYTES + 1), 'a frame out of bounds'],
    ['a frame of 4 GiB', write => write(1, 0, -1), 'a frame out of bounds'],
    ['a frame both in the ring and out of band', write => write(1, 8, 8), 'a frame out of bounds'],
    ['missing out-of-band bytes', write => write(5, 0, 8), 'missing out-of-band bytes'],
  ])('treats %s as a fault and ignores the rest', async (_name, attack, what) => {
    const { write, seen, link, port } = bare()
    let closed = false
    port.on('close', () => (closed = true))
    write(1, 1, 0)
    attack(write)
    write(1, 1, 0)
    await settle()
    expect(seen.log).toEqual(['1:a', violation(what)])
    expect(closed).toBe(true)
    link.send({ kind: 1, body: 'x' })
    link.close()
    await settle()
    expect(seen.log).toHaveLength(2)
  })

  it.each<[string, (inRing: RingMemory) => void, string]>([
    ['write position', inRing => Atomics.store(inRing.control, RING_WORD.head, 12345), 'a write position out of range'],
    ['length', inRing => (inRing.words.fill(0xffff), Atomics.store(inRing.control, 0, 64)), 'a length out of range'],
  ])('treats an invalid %s as a fault', async (_name, attack, what) => {
    const { inRing, writer, seen } = bare()
    attack(inRing)
    writer.wake()
    await settle()
    expect(seen.log).toEqual([violation(what)])
  })

  it('reports an invalid read position as a fault, in a later microtask than the send that found it', async () => {
    const { outRing, seen, link } = bare()
    Atomics.store(outRing.control, RING_WORD.tail, 4)
    for (let i = 0; i < 10; i++) link.send({ kind: 2, body: new Uint8Array(1000) })
    expect(seen.log).toEqual([])
    await settle()
    expect(seen.log).toEqual([violation('a read position out of range')])
  })

  it.each([
    ['a number', 0],
    ['an object', { a: 1 }],
    ['a list', [new ArrayBuffer(8)]],
    ['shared memory', new SharedArrayBuffer(8)],
    ['a Uint8Array', new Uint8Array(8)],
  ])('treats %s on the port as a fault, announced or not', async (_name, message) => {
    const [silent, announced] = [bare(), bare()]
    silent.port.postMessage(message)
    announced.port.postMessage(message)
    announced.write(5, 0, 8)
    await settle()
    for (const { seen } of [silent, announced]) expect(seen.log).toEqual([violation('missing out-of-band bytes')])
  })

  it.each([7, 9, 0])('treats %i out-of-band bytes as a fault if 8 were announced', async length => {
    const { seen, port, write } = bare()
    port.postMessage(new ArrayBuffer(length))
    write(5, 0, 8)
    await settle()
    expect(seen.log).toEqual([violation('out-of-band bytes of another size than announced')])
  })

  it.each([
    ['more frames', 65, 8],
    ['more bytes', 3, 2 ** 24],
    ['a frame that is too large', 1, MAX_OUT_OF_BAND_BYTES + 2],
  ])('treats %s out of band than a correct sender sends as a fault', async (_name, count, size) => {
    const { seen, port } = bare()
    for (let i = 0; i < count; i++) {
      const buffer = new ArrayBuffer(size)
      port.postMessage(buffer, [buffer])
    }
    await settle()
    expect(seen.log).toEqual([violation('too many out-of-band bytes')])
  })

  it('accepts out-of-band bytes before and after their announcement', async () => {
    const { seen, port, write } = bare()
    const post = (text: string): void => port.postMessage(Uint8Array.from(Buffer.from(text)).buffer)
    post('one')
    await settle()
    post('two')
    write(5, 0, 3)
    write(1, 1, 0)
    write(2, 0, 3)
    await settle()
    expect(seen.log).toEqual(['5:one', '1:a', '2:two'])
  })

  it('rejects frames that its peer would treat as a fault', () => {
    const { link } = bare()
    expect(() => link.send({ kind: 2, body: new Uint8Array(MAX_OUT_OF_BAND_BYTES + 1) })).toThrow('is over the limit')
  })

  it('waits for a busy peer before it closes, but not forever', async () => {
    const { link, seen } = bare()
    for (let i = 0; i < 100; i++) link.send({ kind: 2, body: new Uint8Array(1000) })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    link.close()
    vi.advanceTimersByTime(29_000)
    await settle()
    expect(seen.log).toEqual([])
    vi.advanceTimersByTime(1000)
    vi.useRealTimers()
    await settle()
    expect(seen.log).toEqual(['closed'])
  })

  it('delivers memory that the peer cannot access', async () => {
    const { inRing, write, link } = bare()
    const bodies: Uint8Array[] = []
    link.receive({ frame: ({ body }) => bodies.push(body), closed: () => {} })
    for (const kind of [1, 2, 3]) write(kind, 100, 0)
    await settle()
    inRing.bytes.fill(0)
    expect(bodies.map(body => Buffer.from(body).toString())).toEqual(Array(3).fill('a'.repeat(100)))
    expect(new Set(bodies.map(body => body.buffer)).has(inRing.bytes.buffer as never)).toBe(false)
  })

  it('keeps its event loop alive when the peer rings and parks endlessly', async () => {
    const { inRing, link } = bare()
    const code = `const words = new Int32Array(require('node:worker_threads').workerData)
      for (;;) { Atomics.store(words, 64, 0); Atomics.notify(words, 64); Atomics.store(words, 96, 1) }`
    const worker = new Worker(code, { eval: true, workerData: inRing.control.buffer })
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await delay(300)
    clearInterval(timer)
    await worker.terminate()
    expect(ticks).toBeGreaterThan(20)
    link.close()
  })
})
