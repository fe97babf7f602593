// The supervisor over real threads: the outcome of each way that a thread can exit, and that exited workers are released.
import { EventEmitter } from 'node:events'
import { queryObjects } from 'node:v8'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { Peer } from '@sallyport/protocol/internal/contract'
import { isUnsentError } from '@sallyport/protocol/internal/errors'
import { expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { start as startDouble } from '../../test/support/thread-doubles.js'
import type { WorkerSpec } from './thread.js'
import type { SupervisedWorker } from './worker.js'
import { resolveSupervision } from './policy.js'
import { Supervisor } from './supervisor.js'

const ready = `const { parentPort } = require('node:worker_threads')
parentPort.postMessage({ type: 'state', state: 'ready' })
parentPort.on('message', message => `

const silent: Omit<WorkerSpec, 'spawn'> = {
  name: 'it',
  supervision: resolveSupervision('temporary'),
  onReport: () => {},
  onState: () => {},
}

function start(supervisor: Supervisor, source: string, resourceLimits: ResourceLimits = {}): SupervisedWorker {
  return supervisor.start({ ...silent, spawn: () => new Worker(source, { eval: true, resourceLimits }) })
}

test('a worker is released without an error when it stops on request', async () => {
  const supervisor = new Supervisor()
  const spawn = (): Worker => new Worker(`${ready} process.exit(0))`, { eval: true })
  const workers = ['a', 'b', 'c'].map(name => supervisor.start({ ...silent, name, spawn }))
  await Promise.all(workers.map(worker => worker.ready))
  expect(supervisor.getWorkerStatuses().size).toBe(3)
  expect(await Promise.all(workers.map(worker => worker.stop(1000)))).toMatchObject(Array(3).fill({ error: undefined }))
  expect(supervisor.getWorkerStatuses().size).toBe(0)
  expect(await workers[0]!.stop(0)).toMatchObject({ error: undefined })
})

test('a life starts and ends in the same steps however many others are open', async () => {
  const supervisor = new Supervisor()
  const steps: string[] = []
  supervisor.inspect(({ type, rootId, actorRef, event, snapshot }) => {
    const children = Object.keys((snapshot as { children?: object } | undefined)?.children ?? {})
    steps.push(
      `${rootId} ${actorRef.id.replace(/\d+$/, '')} ${type} ${event?.type} ${snapshot?.status} ${children.join()}`,
    )
  })
  const create = (name: string): { end(): Promise<unknown> } => {
    const thread = Object.assign(new EventEmitter(), { terminate() {}, postMessage() {}, unref() {} })
    const worker = supervisor.start({ ...silent, name, spawn: () => thread as unknown as Worker })
    thread.emit('message', { type: 'state', state: 'ready' })
    return { end: () => (thread.emit('exit', 0), worker.exited) }
  }
  const measure = async (): Promise<string[]> => {
    steps.length = 0
    await create('it').end()
    return steps.splice(0)
  }
  const alone = await measure()
  const others = Array.from({ length: 20 }, () => create('other'))
  expect(await measure()).toEqual(alone)
  expect(alone.filter(step => !step.includes('it #'))).toEqual([])
  expect(alone.at(-1)).toContain('done')
  await Promise.all(others.map(other => other.end()))
})

/** It must not be ended before the test fails. */
const patient = { endsIfSilent: true }

test('a worker is ended before its time is over if it does not read that it is asked to', () =>
  rows([
    ['computes', '{ for (;;); }'],
    ['waits in its thread', '{ Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }'],
  ])(async (_what, code) => {
    const spawn = (): Worker => new Worker(`${ready} ${code})`, { eval: true })
    const onKilled = vi.fn<() => void>()
    const startPatient = (): SupervisedWorker =>
      new Supervisor().start({ ...silent, ...patient, spawn, effects: [{ kill: onKilled }] })
    const [stopped, reloaded, sentenced] = [startPatient(), startPatient(), startPatient()]
    await Promise.all([stopped, reloaded, sentenced].map(worker => worker.ready))
    expect(await stopped.stop(0)).toMatchObject({ error: undefined })
    expect(onKilled).toHaveBeenCalledOnce()
    await reloaded.reload()
    expect(await reloaded.stop(0)).toMatchObject({ error: undefined })
    sentenced.life.send({ type: 'SENTENCE', error: new Error('sentenced') })
    expect(await sentenced.exited).toMatchObject({ error: { message: 'sentenced' } })
  }))

test('a worker has its time once it has answered', async () => {
  const answer = `{
    parentPort.postMessage({ type: 'state', state: 'draining' })
    for (const end = Date.now() + 300; Date.now() < end; );
    process.exit(0)
  })`
  const spawn = (): Worker => new Worker(`${ready} ${answer}`, { eval: true })
  const onKilled = vi.fn<() => void>()
  const worker = new Supervisor().start({ ...silent, ...patient, spawn, effects: [{ kill: onKilled }] })
  await worker.ready
  expect(await worker.stop(0)).toEqual({ error: undefined, exitError: undefined, code: 0 })
  expect(onKilled).not.toHaveBeenCalled()
})

/** A thread that the test lets answer, and whose code has been asked to stop and drains. */
function drain(spec: Partial<WorkerSpec> = {}) {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let asked = 0
  const terminate = vi.fn<() => void>()
  const postMessage = ({ type }: { type: string }): void => void (asked += Number(type === 'ask'))
  const thread = Object.assign(new EventEmitter(), { terminate, postMessage, unref() {} })
  const worker = new Supervisor().start({ ...silent, ...spec, spawn: () => thread as unknown as Worker })
  for (const state of ['ready', 'draining']) thread.emit('message', { type: 'state', state })
  void worker.stop(0)
  const answer = (): void => {
    for (; asked > 0; asked--) thread.emit('message', { type: 'answer' })
  }
  return { terminate, answer, pass: (ms: number) => vi.advanceTimersByTime(ms), getAsked: () => asked }
}

test('a member that has answered is not late while the others of its thread keep it from that', () => {
  const { terminate, answer, pass } = drain()
  pass(60_000)
  expect(terminate).not.toHaveBeenCalled()
  answer()
  expect(terminate).toHaveBeenCalledOnce()
})

test('code that drains has any time while core takes what it has sent, or is too busy to', () => {
  let taken = 0
  let answerOfCore = (): void => {}
  const taker: Peer = { ask: onAnswer => void (answerOfCore = onAnswer) }
  const { terminate, answer, pass } = drain({ taker, readTaken: () => taken })
  const answerAll = (turns: number): void => {
    for (let turn = 0; turn < turns; turn++) {
      answer()
      answerOfCore()
    }
  }
  for (; taken < 10; taken++) {
    // Core takes something, and is busy then.
    pass(600)
    answerAll(7)
    answer()
    pass(10_000)
    expect(terminate).not.toHaveBeenCalled()
    setTimeout(answerOfCore, 1)
  }
  pass(600)
  answerAll(7)
  expect(terminate).not.toHaveBeenCalled()
  answerAll(1)
  expect(terminate).toHaveBeenCalledOnce()
})

test('code that is ended before it answers has lost what it had sent, if core took some of it meanwhile', () =>
  rows<[how: string, taken: number, end: (thread: EventEmitter) => void, isLost: boolean]>([
    ['a thread', 1, thread => thread.emit('exit', 1), true],
    ['a thread that has sent nothing', 0, thread => thread.emit('exit', 1), false],
    ['a process', 1, thread => endProcess(thread, true), true],
    ['a process that has sent nothing', 0, thread => endProcess(thread, true), false],
    ['a process that has answered', 1, thread => endProcess(thread, false), false],
  ])(async (_how, taken, end, isLost) => {
    const thread = Object.assign(new EventEmitter(), { terminate() {}, postMessage() {}, unref() {} })
    let isAsked = false
    const readTaken = (): number => (isAsked ? taken : 0)
    const worker = new Supervisor().start({ ...silent, readTaken, spawn: () => thread as unknown as Worker })
    thread.emit('message', { type: 'state', state: 'ready' })
    const stopped = worker.stop(0)
    isAsked = true
    // A second order does not begin the count again.
    if (isLost) void worker.stop(0)
    worker.code.kill()
    end(thread)
    expect(isUnsentError((await stopped).error)).toBe(isLost)
  }))

const endProcess = (thread: EventEmitter, isUnanswered: boolean): void => {
  thread.emit('message', { type: 'state', state: 'stopped', isUnanswered })
  thread.emit('exit', 0)
}

test('a worker that is no longer needed does not start again', async () => {
  const spawn = vi.fn<() => Worker>(() => new Worker(`${ready} process.exit(0))`, { eval: true }))
  const supervision = { ...resolveSupervision('permanent'), delay: { min: 1, max: 1 } }
  const worker = new Supervisor().start({ ...silent, supervision, spawn, isClosing: () => true })
  await worker.ready
  worker.post('go')
  await worker.exited
  expect(spawn).toHaveBeenCalledOnce()
})

test('a thread that has taken the order of a sentence, and exits as it should, has ended for the sentence', async () => {
  const thread = Object.assign(new EventEmitter(), { terminate() {}, postMessage() {}, unref() {} })
  const worker = new Supervisor().start({ ...silent, ...patient, spawn: () => thread as unknown as Worker })
  thread.emit('message', { type: 'state', state: 'ready' })
  worker.life.send({ type: 'SENTENCE', error: new Error('sentenced') })
  thread.emit('message', { type: 'state', state: 'draining' })
  thread.emit('exit', 0)
  expect(await worker.exited).toMatchObject({ error: { message: 'sentenced' } })
})

test('what a thread says once the host has ended it is not why it ended', async () => {
  const handle = { terminate: () => thread.emit('error', new Error('terminated')), postMessage() {}, unref() {} }
  const thread = Object.assign(new EventEmitter(), handle)
  const worker = new Supervisor().start({ ...silent, spawn: () => thread as unknown as Worker })
  thread.emit('message', { type: 'state', state: 'ready' })
  worker.terminate(new Error('it blocked its event loop'))
  thread.emit('exit', 1)
  expect(await worker.exited).toMatchObject({ error: { message: 'it blocked its event loop' } })
})

test('a worker reports its error after the explanation, which a stop cuts short', async () => {
  const explainError = vi.fn<NonNullable<WorkerSpec['explainError']>>((error, signal) => {
    error.message += ' (explained)'
    return new Promise(resolve => signal.addEventListener('abort', () => resolve()))
  })
  const thread = new Worker('throw new Error("broken")', { eval: true })
  const threadExited = new Promise(resolve => thread.once('exit', resolve))
  const worker = new Supervisor().start({ ...silent, spawn: () => thread, explainError })
  const onExit = vi.fn<() => void>()
  void worker.exited.then(onExit)
  await threadExited
  await expect.poll(() => explainError).toHaveBeenCalled()
  await new Promise(setImmediate)
  expect(onExit).not.toHaveBeenCalled()
  const { error } = await worker.stop(60_000)
  expect(error?.message).toContain('broken (explained)')
})

test('a worker is abandoned with an error when it cannot be terminated', () =>
  rows([
    ['a thread', {}, 'its thread is stuck in native code'],
    ['the relay of a process', { isRelayed: true }, 'the system has not ended its process'],
  ])(async (_what, spec, cause) => {
    vi.useFakeTimers()
    try {
      // A real thread stuck in native code would keep this process from exiting, too.
      const emitter = new EventEmitter()
      const answer = (): void => void setImmediate(() => emitter.emit('message', { type: 'answer' }))
      const doubles = { terminate: vi.fn<() => void>(), postMessage: answer, unref: () => {} }
      const thread = Object.assign(emitter, doubles)
      const supervisor = new Supervisor()
      const onReport = vi.fn<() => void>()
      const worker = supervisor.start({ ...silent, ...spec, onReport, spawn: () => thread as unknown as Worker })
      thread.emit('message', { type: 'state', state: 'ready' })
      const stopped = worker.stop(100)
      await vi.advanceTimersByTimeAsync(5550)
      expect(thread.terminate).toHaveBeenCalled()
      expect(supervisor.getWorkerStatuses().size).toBe(1)
      await vi.advanceTimersByTimeAsync(200)
      const message = `it did not exit after it was terminated: ${cause}`
      expect(await stopped).toMatchObject({ error: { reason: 'Timeout', message } })
      expect(supervisor.getWorkerStatuses().size).toBe(0)
      thread.emit('message', 'late')
      expect(onReport).not.toHaveBeenCalled()
    } finally {
      vi.useRealTimers()
    }
  }))

const report = (state: string, message?: string): string =>
  `require('node:worker_threads').parentPort.postMessage({ type: 'state', state: '${state}', error: { message: '${message}' } });`

test('a worker fails when it ends or reports a failure before it is stopped', () =>
  rows([
    ['throws before it is ready', 'throw new Error("early")', 'early'],
    ['exits before it is ready', 'process.exit(0)', 'it exited before it was ready'],
    ['exits with a code', 'process.exit(7)', 'it exited with code 7'],
    ['reports a failure', report('failed', 'so'), 'so'],
    [
      'has no directory',
      report('failed', 'ENOENT: uv_cwd'),
      expect.stringContaining("the host's working directory was removed"),
    ],
    ['has begun, and then no directory', report('booting') + report('failed', 'ENOENT: uv_cwd'), 'ENOENT: uv_cwd'],
  ])(async (_name, source, message) => {
    const worker = start(new Supervisor(), source)
    await expect(worker.ready).rejects.toMatchObject({ message })
    expect(await worker.exited).toMatchObject({ error: { message } })
  }))

test('a worker fails with an error of its own when it runs out of memory', async () => {
  const source = `${ready} { const all = []; for (;;) all.push({}) })`
  const worker = start(new Supervisor(), source, { maxOldGenerationSizeMb: 16 })
  await worker.ready
  worker.post('go')
  expect(await worker.exited).toMatchObject({ error: { reason: 'Crashed', message: 'it ran out of memory' } })
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
  const worker = new Supervisor().start({ ...silent, supervision, spawn })
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

test('a worker that cannot be spawned fails, and is released', async () => {
  const supervisor = new Supervisor()
  const spawn = (): never => {
    throw new Error('no thread')
  }
  const worker = supervisor.start({ ...silent, spawn })
  await expect(worker.ready).rejects.toMatchObject({ message: 'it could not be started: no thread' })
  expect(await worker.exited).toMatchObject({ error: { message: 'it could not be started: no thread' } })
  expect(supervisor.getWorkerStatuses().size).toBe(0)
})

test('a question is answered once, by the thread or by its beats, and not after its end', () =>
  rows([
    ['by its answer, and then by beats', ['answer', 'beat'], [1, 1]],
    ['by beats, and then by its answer', ['beat', 'answer'], [1, 1]],
    ['by nothing', ['exit', 'answer', 'beat'], [0, 0, 0]],
  ] as const)((_how, signs, counts) => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { worker, threads, ready: begin, exit } = startDouble({ heartbeat: 800 })
    begin()
    const { code } = worker
    const [answered, ended] = [vi.fn<() => void>(), vi.fn<() => void>()]
    code.ask(answered, ended)
    const counted = signs.map(sign => {
      if (sign === 'answer') threads[0]!.emit('message', { type: 'answer' })
      if (sign === 'exit') exit()
      for (let beat = 0; sign === 'beat' && beat < 9; beat++) {
        Atomics.add(new Int32Array(code.heartbeat!.memory), 0, 1)
        vi.advanceTimersByTime(100)
      }
      return answered.mock.calls.length
    })
    expect(counted).toEqual(counts)
    expect(ended).toHaveBeenCalledTimes(signs[0] === 'exit' ? 1 : 0)
    void worker.stop(0)
  }))
