// The supervisor over real threads: what each end of a thread comes to, and that nothing of an ended one is kept.
import { EventEmitter } from 'node:events'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { describe, expect, test, vi } from 'vitest'
import { getSupervision } from './policy.js'
import { createSupervisor, type SupervisedThread, type Supervisor } from './supervisor.js'
import type { ThreadSpec } from './worker-actor.js'

const ready = `const { parentPort } = require('node:worker_threads')
parentPort.postMessage({ type: 'state', state: 'ready' })
parentPort.on('message', message => `

const silent: Omit<ThreadSpec, 'spawn'> = {
  name: 'it',
  supervision: getSupervision('temporary'),
  onReport: () => {},
  onState: () => {},
  onUp: () => {},
  onDown: () => {},
  onUnended: () => {},
}

function start(supervisor: Supervisor, source: string, resourceLimits: ResourceLimits = {}): SupervisedThread {
  const spawn = (): Worker => new Worker(source, { eval: true, resourceLimits })
  return supervisor.start({ ...silent, spawn })
}

describe('a thread', () => {
  test('that stops when it is asked has ended well, and is let go', async () => {
    const supervisor = createSupervisor()
    const threads = [1, 2, 3].map(() => start(supervisor, `${ready} process.exit(0))`))
    await Promise.all(threads.map(({ ready: isReady }) => isReady))
    expect(supervisor.threads).toBe(3)
    expect(await Promise.all(threads.map(thread => thread.stop(1000)))).toMatchObject(
      Array(3).fill({ error: undefined }),
    )
    expect(supervisor.threads).toBe(0)
    expect(await threads[0]!.stop(0)).toMatchObject({ error: undefined })
  })

  test('that does not stop is ended from outside', async () => {
    const thread = start(createSupervisor(), `${ready} { for (;;); })`)
    await thread.ready
    expect(await thread.stop(10)).toMatchObject({ error: undefined })
  })

  test('that can’t be ended, because a function in it is never interrupted, is given up with an error', async () => {
    vi.useFakeTimers()
    try {
      // One like it would keep this process from ending too.
      const doubles = { terminate: vi.fn<() => void>(), postMessage: () => {}, unref: () => {} }
      const worker = Object.assign(new EventEmitter(), doubles)
      const supervisor = createSupervisor()
      const spec = { ...silent, spawn: () => worker as unknown as Worker }
      const thread = supervisor.start(spec)
      worker.emit('message', { type: 'state', state: 'ready' })
      const stopped = thread.stop(100)
      await vi.advanceTimersByTimeAsync(5500)
      expect(worker.terminate).toHaveBeenCalled()
      expect(supervisor.threads).toBe(1)
      await vi.advanceTimersByTimeAsync(200)
      expect(await stopped).toMatchObject({
        error: { reason: 'Timeout', message: expect.stringMatching(/^it does not end/) as string },
      })
      expect(supervisor.threads).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test.each([
    ['throws before it is ready', 'throw new Error("early")', 'early'],
    ['exits before it is ready', 'process.exit(0)', 'it ended before it was ready'],
    ['exits with a code', 'process.exit(7)', 'it exited with code 7'],
    [
      'says why it failed',
      `require('node:worker_threads').parentPort.postMessage({ type: 'state', state: 'failed', error: { message: 'so' } })`,
      'so',
    ],
  ])('that %s has failed', async (_name, source, message) => {
    const thread = start(createSupervisor(), source)
    await expect(thread.ready).rejects.toMatchObject({ message })
    expect(await thread.exited).toMatchObject({ error: { message } })
  })

  test('that is ended for a reason has failed by it at once', async () => {
    const supervisor = createSupervisor()
    const thread = start(supervisor, `${ready} { for (;;); })`)
    await thread.ready
    const reason = new Error('enough')
    thread.end(reason)
    thread.end(new Error('again'))
    expect(supervisor.threads).toBe(0)
    expect(await thread.exited).toMatchObject({ error: reason })
  })

  test('that is ended for a reason before it was ready says so', async () => {
    const thread = start(createSupervisor(), 'for (;;);')
    thread.end(new Error('enough'))
    await expect(thread.ready).rejects.toMatchObject({ message: 'enough' })
  })

  test('that has used up its memory is named', async () => {
    const source = `${ready} { const all = []; for (;;) all.push({}) })`
    const thread = start(createSupervisor(), source, { maxOldGenerationSizeMb: 16 })
    await thread.ready
    thread.post('go')
    expect(await thread.exited).toMatchObject({ error: { message: 'it has used up its memory' } })
  })

  test('that throws later has failed too', async () => {
    const thread = start(createSupervisor(), `${ready} { throw new Error('late') })`)
    await thread.ready
    thread.post('go')
    expect(await thread.exited).toMatchObject({ error: { message: 'late' } })
  })
})
