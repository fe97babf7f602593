// A ring link to another thread, which echoes, dies or closes. Only an open link keeps its thread alive.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { Link } from '../../../src/wire/link.js'
import { rows } from '../../../../../scripts/testing.js'
import { closeEndpoint, type LinkEndpoint } from '../../../src/link/endpoints.js'
import { createRingBuffer } from '../../../src/link/ring/ring-buffer.js'
import type { PollMode } from '../../../src/link/ring/polling.js'
import { RingLink } from '../../../src/link/ring/ring-link.js'
import { settle } from '../../link-behaviour.js'

function start(role: string, { bytes = 2 ** 16, poll = 'adaptive' }: { bytes?: number; poll?: PollMode } = {}) {
  const [forward, backward] = [createRingBuffer(bytes), createRingBuffer(bytes)]
  const endpoint: LinkEndpoint = { kind: 'ring', out: backward, in: forward, poll }
  const worker = new Worker(new URL('../../ring/peer.mjs', import.meta.url), { workerData: { endpoint, role } })
  const link: Link = new RingLink({ out: forward, in: backward, poll }, true)
  return { endpoint, worker, link }
}

const ended = (worker: Worker): Promise<number> => new Promise(resolve => worker.once('exit', resolve))

describe('a ring link to a thread', () => {
  it('returns frames of all sizes, one by one and all at once, polling or asleep, and through a ring of 1 KiB', () =>
    rows([{ poll: 'adaptive' }, { poll: 'never' }, { bytes: 1024 }] as const)(async options => {
      const { link, worker } = start('echo', options)
      const bodies = Array.from({ length: 200 }, (_, i) => Buffer.alloc((i * i * 7) % 9000, i))
      const seen: Buffer[] = []
      let next = (): void => {}
      link.receive({ frame: ({ body }) => (seen.push(Buffer.from(body as Uint8Array)), next()), closed: () => {} })
      for (const body of bodies) {
        const answered = new Promise<void>(resolve => (next = resolve))
        link.send({ kind: 3, body })
        await answered
      }
      for (const body of bodies) link.send({ kind: 2, body })
      await expect.poll(() => seen.length).toBe(400)
      expect(Buffer.compare(Buffer.concat(seen), Buffer.concat([...bodies, ...bodies]))).toBe(0)
      const over = ended(worker)
      link.close()
      expect(await over, 'the thread ends by itself: nothing keeps it alive').toBe(0)
    }))

  it('ends once when its peer dies in the middle of frames', async () => {
    const { link, worker, endpoint } = start('echo', { bytes: 1024 })
    const seen: string[] = []
    link.receive({ frame: ({ kind }) => seen.push(`${kind}`), closed: () => seen.push('closed') })
    const sending = setInterval(() => link.send({ kind: 2, body: new Uint8Array(5000) }), 0)
    await expect.poll(() => seen.length).toBeGreaterThan(2)
    await worker.terminate()
    closeEndpoint(endpoint)
    await expect.poll(() => seen).toContain('closed')
    clearInterval(sending)
    link.send({ kind: 1, body: 'x' })
    await settle()
    expect(seen.slice(2).filter(what => what !== '2')).toEqual(['closed'])
    expect(seen.at(-1)).toBe('closed')
  })

  it('keeps a thread alive that waits for frames', async () => {
    const { link, worker } = start('still')
    const over = ended(worker)
    await once(worker, 'online')
    // A thread that nothing keeps alive ends before those that start after it.
    for (let i = 0; i < 3; i++) await ended(new Worker('', { eval: true }))
    expect(worker.threadId).toBeGreaterThan(0)
    link.receive({ frame: () => {}, closed: () => {} })
    link.close()
    expect(await over).toBe(0)
  })

  it('delivers everything that was sent before it closed, even if it did not fit', async () => {
    const { link, worker } = start('count', { bytes: 1024 })
    const counted = new Promise(resolve => worker.once('message', resolve))
    for (let i = 0; i < 300; i++) link.send({ kind: 2, body: new Uint8Array(2000) })
    link.close()
    expect(await counted).toBe(300 * 2000)
  })
})
