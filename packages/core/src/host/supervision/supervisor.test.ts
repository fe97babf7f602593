// The supervisor over real threads: the outcome of each way that a thread can exit, and that exited workers are released.
import { EventEmitter } from 'node:events'
import { queryObjects } from 'node:v8'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { resolveSupervision } from './policy.js'
import { createSupervisor, type Supervisor } from './supervisor.js'
import type { SupervisedWorker, WorkerSpec } from './worker-actor.js'

const ready = `const { parentPort } = require('node:worker_threads')
parentPort.postMessage({ type: 'state', state: 'ready' })
parentPort.on('message', message => `

const silent: Omit<WorkerSpec, 'spawn'> = {
  name: 'it',
  supervision: resolveSupervision('temporary'),
  onReport: () => {},
  onState: () => {},
  onRestarted: () => {},
  onStopped: () => {},
  onKilled: () => {},
}

const KINDS = { 'a worker': false, 'a worker that neither restarts nor is replaced': true }
const ofEachKind = (check: (isSingle: boolean) => unknown) => () => rows(KINDS)(check)

describe('a worker, with and without restarts,', () => {
  function start(
    isSingle: boolean,
    supervisor: Supervisor,
    source: string,
    resourceLimits: ResourceLimits = {},
  ): SupervisedWorker {
    const spawn = (): Worker => new Worker(source, { eval: true, resourceLimits })
    return supervisor.start({ ...silent, isSingle, spawn })
  }

  test(
    'is released without an error when it stops on request',
    ofEachKind(async isSingle => {
      const supervisor = createSupervisor()
      const workers = [1, 2, 3].map(() => start(isSingle, supervisor, `${ready} process.exit(0))`))
      await Promise.all(workers.map(worker => worker.ready))
      expect(supervisor.workerNames).toHaveLength(3)
      expect(await Promise.all(workers.map(worker => worker.stop(1000)))).toMatchObject(
        Array(3).fill({ error: undefined }),
      )
      expect(supervisor.workerNames).toHaveLength(0)
      expect(await workers[0]!.stop(0)).toMatchObject({ error: undefined })
    }),
  )

  test(
    'is terminated when it does not stop in time',
    ofEachKind(async isSingle => {
      const worker = start(isSingle, createSupervisor(), `${ready} { for (;;); })`)
      await worker.ready
      expect(await worker.stop(10)).toMatchObject({ error: undefined })
    }),
  )

  /** The machine must not end it before the test fails. */
  const patient = { stopTimeout: 600_000, endsIfSilent: true }

  test(
    'is ended before its time is over if it does not read that it is asked to',
    ofEachKind(isSingle =>
      rows([
        ['computes', '{ for (;;); }'],
        ['waits in its thread', '{ Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }'],
      ])(async (_what, code) => {
        const spawn = (): Worker => new Worker(`${ready} ${code})`, { eval: true })
        const onKilled = vi.fn<() => void>()
        const startPatient = (): SupervisedWorker =>
          createSupervisor().start({ ...silent, ...patient, isSingle, spawn, onKilled })
        const [stopped, reloaded, dismissed] = [startPatient(), startPatient(), startPatient()]
        await Promise.all([stopped, reloaded, dismissed].map(worker => worker.ready))
        expect(await stopped.stop(0)).toMatchObject({ error: undefined })
        expect(onKilled).toHaveBeenCalledOnce()
        const reload = reloaded.reload()
        if (isSingle) {
          await expect(reload).rejects.toMatchObject({ reason: 'Disconnected' })
          expect(await reloaded.exited).toMatchObject({ error: { reason: 'Disconnected' } })
        } else {
          await reload
          expect(await reloaded.stop(0)).toMatchObject({ error: undefined })
        }
        dismissed.dismiss(new Error('dismissed'))
        expect(await dismissed.exited).toMatchObject({ error: { message: 'dismissed' } })
      }),
    ),
  )

  test(
    'has its time once it has answered',
    ofEachKind(async isSingle => {
      const answer = `{
      parentPort.postMessage({ type: 'state', state: 'draining' })
      for (const end = Date.now() + 300; Date.now() < end; );
      process.exit(0)
    })`
      const spawn = (): Worker => new Worker(`${ready} ${answer}`, { eval: true })
      const onKilled = vi.fn<() => void>()
      const worker = createSupervisor().start({ ...silent, isSingle, ...patient, spawn, onKilled })
      await worker.ready
      expect(await worker.stop(0)).toEqual({ error: undefined, exitError: undefined, code: 0 })
      expect(onKilled).not.toHaveBeenCalled()
    }),
  )

  test(
    'reports its error after the explanation, which a stop cuts short',
    ofEachKind(async isSingle => {
      const explainError = vi.fn<NonNullable<WorkerSpec['explainError']>>((error, signal) => {
        error.message += ' (explained)'
        return new Promise(resolve => signal.addEventListener('abort', () => resolve()))
      })
      const thread = new Worker('throw new Error("broken")', { eval: true })
      const threadExited = new Promise(resolve => thread.once('exit', resolve))
      const worker = createSupervisor().start({ ...silent, isSingle, spawn: () => thread, explainError })
      const onExit = vi.fn<() => void>()
      void worker.exited.then(onExit)
      await threadExited
      await expect.poll(() => explainError).toHaveBeenCalled()
      await new Promise(setImmediate)
      expect(onExit).not.toHaveBeenCalled()
      const { error } = await worker.stop(60_000)
      expect(error?.message).toContain('broken (explained)')
    }),
  )

  test(
    'is abandoned with an error when it cannot be terminated',
    ofEachKind(isSingle =>
      rows([
        ['a thread', {}, 'its thread is stuck in native code'],
        ['the relay of a process', { stopTimeout: 500 }, 'the system has not ended its process'],
      ])(async (_what, spec, cause) => {
        vi.useFakeTimers()
        try {
          // A real thread stuck in native code would keep this process from exiting, too.
          const doubles = { terminate: vi.fn<() => void>(), postMessage: () => {}, unref: () => {} }
          const thread = Object.assign(new EventEmitter(), doubles)
          const supervisor = createSupervisor()
          const worker = supervisor.start({ ...silent, isSingle, ...spec, spawn: () => thread as unknown as Worker })
          thread.emit('message', { type: 'state', state: 'ready' })
          const stopped = worker.stop(100)
          await vi.advanceTimersByTimeAsync(5500)
          expect(thread.terminate).toHaveBeenCalled()
          expect(supervisor.workerNames).toHaveLength(1)
          await vi.advanceTimersByTimeAsync(200)
          expect(await stopped).toMatchObject({
            error: {
              reason: 'Timeout',
              message: `it did not exit after it was terminated: ${cause}`,
            },
          })
          expect(supervisor.workerNames).toHaveLength(0)
        } finally {
          vi.useRealTimers()
        }
      }),
    ),
  )

  test(
    'fails when it ends or reports a failure before it is stopped',
    ofEachKind(isSingle =>
      rows([
        ['throws before it is ready', 'throw new Error("early")', 'early'],
        ['exits before it is ready', 'process.exit(0)', 'it exited before it was ready'],
        ['exits with a code', 'process.exit(7)', 'it exited with code 7'],
        [
          'reports a failure',
          `require('node:worker_threads').parentPort.postMessage({ type: 'state', state: 'failed', error: { message: 'so' } })`,
          'so',
        ],
      ])(async (_name, source, message) => {
        const worker = start(isSingle, createSupervisor(), source)
        await expect(worker.ready).rejects.toMatchObject({ message })
        expect(await worker.exited).toMatchObject({ error: { message } })
      }),
    ),
  )

  test(
    'fails immediately with the error that it is terminated with',
    ofEachKind(async isSingle => {
      const supervisor = createSupervisor()
      const worker = start(isSingle, supervisor, `${ready} { for (;;); })`)
      await worker.ready
      const error = new Error('enough')
      worker.terminate(error)
      worker.terminate(new Error('again'))
      expect(supervisor.workerNames).toHaveLength(0)
      expect(await worker.exited).toMatchObject({ error })
    }),
  )

  test(
    'exits by itself if it is terminated while it stops something else',
    ofEachKind(async isSingle => {
      const supervisor = createSupervisor()
      const spawn = (): Worker => new Worker(`${ready} process.exit(0))`, { eval: true })
      const worker = supervisor.start({ ...silent, isSingle, spawn, stopTimeout: 60_000 })
      await worker.ready
      const stopped = worker.stop(1000)
      worker.terminate(new Error('stuck'))
      expect(supervisor.workerNames).toHaveLength(1)
      expect(await stopped).toMatchObject({ error: undefined })
    }),
  )

  test(
    'rejects `ready` with the error that it is terminated with',
    ofEachKind(async isSingle => {
      const worker = start(isSingle, createSupervisor(), 'for (;;);')
      worker.terminate(new Error('enough'))
      await expect(worker.ready).rejects.toMatchObject({ message: 'enough' })
    }),
  )

  test(
    'exits without an error after it was dismissed because of its link only if it had finished by itself',
    ofEachKind(isSingle =>
      rows([
        ['has finished by itself', 'ready', undefined],
        ['was asked to stop', 'stopped', 'its link has closed'],
      ])(async (_why, state, message) => {
        const doubles = { terminate: vi.fn<() => void>(), postMessage: () => {}, unref: () => {} }
        const thread = Object.assign(new EventEmitter(), doubles)
        const worker = createSupervisor().start({ ...silent, isSingle, spawn: () => thread as unknown as Worker })
        thread.emit('message', { type: 'state', state: 'ready' })
        worker.dismiss(new Error('its link has closed'))
        thread.emit('message', { type: 'state', state })
        thread.emit('exit', 0)
        const { error } = await worker.exited
        expect(error?.message).toBe(message)
      }),
    ),
  )

  test(
    'is not judged before this host has read what it says, and that it has ended',
    ofEachKind(isSingle =>
      rows([
        ['says why it has ended', 'dismiss', 1, { error: { message: 'too much memory' } }],
        ['ends in time', 'stop', 0, { error: undefined }],
      ])(async (_what, how, code, exit) => {
        const doubles = { terminate: vi.fn<() => void>(), postMessage: () => {}, unref: () => {} }
        const thread = Object.assign(new EventEmitter(), doubles)
        const onKilled = vi.fn<() => void>()
        const worker = createSupervisor().start({
          ...silent,
          isSingle,
          spawn: () => thread as unknown as Worker,
          onKilled,
        })
        thread.emit('message', { type: 'state', state: 'ready' })
        vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
        onTestFinished(() => void vi.useRealTimers())
        if (how === 'stop') void worker.stop(0)
        else worker.dismiss(new Error('its link has closed'))
        vi.advanceTimersByTime(500)
        if (code !== 0)
          thread.emit('message', { type: 'state', state: 'failed', error: { message: 'too much memory' } })
        thread.emit('exit', code)
        expect(await worker.exited).toMatchObject(exit)
        expect(onKilled).not.toHaveBeenCalled()
      }),
    ),
  )

  test(
    'fails with an error of its own when it runs out of memory',
    ofEachKind(async isSingle => {
      const source = `${ready} { const all = []; for (;;) all.push({}) })`
      const worker = start(isSingle, createSupervisor(), source, { maxOldGenerationSizeMb: 16 })
      await worker.ready
      worker.post('go')
      expect(await worker.exited).toMatchObject({ error: { message: 'it ran out of memory' } })
    }),
  )

  test(
    'fails when it throws after it was ready',
    ofEachKind(async isSingle => {
      const worker = start(isSingle, createSupervisor(), `${ready} { throw new Error('late') })`)
      await worker.ready
      worker.post('go')
      expect(await worker.exited).toMatchObject({ error: { message: 'late' } })
    }),
  )
})

test('releases a thread that exited when the next one is ready', async () => {
  const supervision = { ...resolveSupervision('permanent'), delay: { min: 1, max: 1 } }
  const source = `${ready} process.exit(3))`
  const threads: WeakRef<Worker>[] = []
  const spawn = (): Worker => {
    const thread = new Worker(source, { eval: true })
    threads.push(new WeakRef(thread))
    return thread
  }
  const worker = createSupervisor().start({ ...silent, supervision, spawn })
  await worker.ready
  worker.post('go')
  const isReleased = (): boolean => {
    // Collects garbage.
    queryObjects(Worker, { format: 'count' })
    return threads.length === 2 && threads[0]!.deref() === undefined
  }
  await expect.poll(isReleased).toBe(true)
  await worker.stop(0)
})

test('the states of a worker that neither restarts nor is replaced', async () => {
  const supervisor = createSupervisor()
  const state = (): unknown => supervisor.getWorkerStatuses().get('it')?.state
  const spawn = (): Worker => new Worker(`${ready} {})`, { eval: true })
  const worker = supervisor.start({ ...silent, isSingle: true, spawn })
  expect(state()).toBe('starting')
  await worker.ready
  expect([state(), worker.isUp]).toEqual(['running', true])
  worker.dismiss(new Error('preliminary'))
  expect([state(), worker.isUp]).toEqual(['leaving', false])
  const stopped = worker.stop(0)
  expect(state()).toBe('draining')
  await stopped
  expect([state(), worker.stats.state]).toEqual([undefined, 'stopped'])
})

test('a worker that cannot be spawned fails, and is released', async () => {
  const supervisor = createSupervisor()
  const spawn = (): never => {
    throw new Error('no thread')
  }
  const worker = supervisor.start({ ...silent, isSingle: true, spawn })
  await expect(worker.ready).rejects.toMatchObject({ message: 'no thread' })
  expect(await worker.exited).toMatchObject({ error: { message: 'no thread' } })
  expect(supervisor.workerNames).toHaveLength(0)
})
