// A worker that is loaded again on request: another in its place, which counts as no restart.
import { expect, test } from 'vitest'
import { start } from '../../../test/thread-doubles.js'

test('starts another in its place, and is never one too many', async () => {
  const { told, workers, thread, ready, exit } = start({ intensity: 0 })
  ready()
  for (let life = 2; life < 10; life++) {
    const reloaded = thread.reload()
    expect(thread.stats.state).toBe('reloading')
    exit()
    expect(workers.length).toBe(life)
    expect(told.splice(0)).toEqual(['reloaded', 'up'])
    ready()
    await reloaded
  }
  expect(thread.stats).toEqual({ state: 'running', restarts: 0 })
})

test('waits for no delay, and ends one that does not end itself', async () => {
  const { clock, told, workers, thread, ready, fail } = start()
  ready()
  fail()
  const reloaded = thread.reload()
  expect(workers.length).toBe(2)
  ready()
  await reloaded
  void thread.reload()
  clock.increment(500)
  expect([workers.length, ...told]).toEqual([3, ['boom', 100], 'up', 'reloaded', 'up'])
})

test('rejects with what keeps it from being ready, or where it is stopped meanwhile', async () => {
  const { thread, ready, exit, fail } = start()
  ready()
  const failing = thread.reload()
  exit()
  fail()
  await expect(failing).rejects.toThrow('boom')
  const stopped = thread.reload()
  void thread.stop(0)
  exit()
  await expect(stopped).rejects.toMatchObject({ reason: 'Disconnected' })
  await expect(thread.reload()).rejects.toMatchObject({ reason: 'Disconnected' })
})

test('is what one waits for that has failed in development', async () => {
  const { clock, told, workers, thread, ready, fail } = start({}, { waits: true })
  ready()
  for (let i = 0; i < 10; i++) {
    fail()
    clock.increment(60_000)
    expect(thread.stats).toEqual({ state: 'waiting', restarts: 0 })
    void thread.reload().catch(() => {})
  }
  expect(workers.length).toBe(11)
  expect(told.splice(0, 2)).toEqual([['boom', undefined], 'up'])
  ready()
  expect(thread.stats.state).toBe('running')
  fail()
  void thread.stop(0)
  expect(await thread.exited).toEqual({ error: undefined, death: undefined })
})
