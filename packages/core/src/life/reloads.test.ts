// Reloads of a worker: a new thread in place of the current one, which does not count as a restart.
import { createDeferred } from '@sallyport/protocol/internal/util'
import { expect, test, vi } from 'vitest'
import { start } from '../../test/support/thread-doubles.js'

test('replaces the thread any number of times without counting a restart', async () => {
  const { events, threads, worker, ready, exit } = start({ intensity: 0 })
  ready()
  for (let generation = 2; generation < 10; generation++) {
    const reloaded = worker.reload()
    expect(worker.stats.state).toBe('reloading')
    exit()
    expect(threads.length).toBe(generation)
    expect(events.splice(0)).toEqual(['reloading', 'restarted'])
    ready()
    await reloaded
  }
  expect(worker.stats).toEqual({ state: 'running', restarts: 0 })
})

test('replaces few spares that die while they are taken, one after the other', () => {
  const { threads, worker, ready, fail, exit } = start()
  const loseSpare = (): void => {
    Object.assign(threads.at(-1)!, { wasStartedAhead: true })
    fail()
  }
  loseSpare()
  ready()
  worker.reload().catch(() => {})
  exit()
  for (let lost = 0; lost < 10 && worker.stats.state === 'starting'; lost++) loseSpare()
  expect([threads.length, worker.stats.state]).toEqual([6, 'backingOff'])
})

test('does not replace a spare that dies once the worker is stopped', async () => {
  const { threads, worker, fail } = start()
  Object.assign(threads[0]!, { wasStartedAhead: true })
  const stopped = worker.stop(0)
  fail()
  expect(await stopped).toMatchObject({ error: { message: 'boom' } })
  expect(threads.length).toBe(1)
})

test('replaces a spare that died while it was taken, whatever was thought of it before its exit was known', () => {
  const { threads, worker, fail } = start({}, { isRelayed: true })
  Object.assign(threads[0]!, { wasStartedAhead: true })
  worker.life.send({ type: 'SENTENCE', error: new Error('its link has closed') })
  expect(worker.stats.state).toBe('leaving')
  fail()
  Object.assign(threads[1]!, { wasStartedAhead: true })
  worker.terminate(new Error('it is blocked'))
  fail()
  expect([threads.length, worker.stats.state]).toEqual([3, 'starting'])
})

test('skips a restart delay, and terminates a thread that does not exit', async () => {
  const { events, threads, worker, ready, fail } = start()
  ready()
  fail()
  const reloaded = worker.reload()
  expect(threads.length).toBe(2)
  ready()
  await reloaded
  vi.useFakeTimers()
  void worker.reload()
  vi.advanceTimersByTime(600)
  vi.useRealTimers()
  expect([threads.length, ...events]).toEqual([3, ['boom', 100], 'restarted', 'reloading', 'restarted'])
  void worker.reload()
  worker.terminate(new Error('it is blocked'))
  expect(threads.length).toBe(4)
})

test('replaces a thread that is being ended for another reason, once it has ended, without counting a restart', async () => {
  const { events, threads, worker, ready, exit } = start({ intensity: 0 }, { isRelayed: true })
  ready()
  worker.terminate(new Error('it is silent'))
  expect(worker.stats.state).toBe('leaving')
  const reloaded = worker.reload()
  exit()
  expect([threads.length, ...events]).toEqual([2, 'reloading', 'restarted'])
  ready()
  await reloaded
  expect(worker.stats).toEqual({ state: 'running', restarts: 0 })
})

test('rejects when the new thread fails or the worker is stopped meanwhile', async () => {
  const { worker, ready, exit, fail } = start()
  ready()
  const failing = worker.reload()
  exit()
  fail()
  await expect(failing).rejects.toThrow('boom')
  const stopped = worker.reload()
  void worker.stop(0)
  exit()
  await expect(stopped).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect(worker.reload()).rejects.toMatchObject({ reason: 'Disconnected' })
})

test('restarts a worker that waits after an error in development', async () => {
  const { clock, events, threads, worker, ready, fail } = start({}, { waitsAfterError: true })
  ready()
  for (let i = 0; i < 10; i++) {
    fail()
    clock.increment(60_000)
    expect(worker.stats).toEqual({ state: 'waiting', restarts: 0 })
    void worker.reload().catch(() => {})
  }
  expect(threads.length).toBe(11)
  expect(events.splice(0, 2)).toEqual([['boom', undefined], 'restarted'])
  ready()
  expect(worker.stats.state).toBe('running')
  fail()
  void worker.stop(0)
  expect(await worker.exited).toMatchObject({ error: undefined, exitError: undefined })
})

test('a worker whose thread has exited is not up while the error is explained', async () => {
  const explained = createDeferred()
  const { worker, ready, fail } = start({}, { waitsAfterError: true, explained: explained.promise })
  ready()
  fail()
  expect([worker.stats.state, worker.isUp]).toEqual(['running', false])
  explained.resolve()
  await expect.poll(() => worker.stats.state).toBe('waiting')
})
