// The order of a thread's states, whatever comes first. The links are closed exactly once.
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createDeferred } from '../util/promises.js'
import { type LifeSteps, serveLife } from './life.js'

/** A life whose steps the test takes one by one. */
function setUp(changes: Partial<LifeSteps> = {}) {
  const log: string[] = []
  const [boot, handshake, drain] = [createDeferred(), createDeferred(), createDeferred()]
  let ends!: { end: () => void; fail: (error: unknown) => void }
  const close = vi.fn<() => void>(() => void log.push('closed'))
  const stop = serveLife({
    boot: () => boot.promise,
    handshake: () => handshake.promise,
    serve(end, fail) {
      ends = { end, fail }
      log.push('serves')
      return close
    },
    drain: () => {
      log.push('drains')
      return drain.promise
    },
    onState: (state, error) => log.push(error === undefined ? state : `${state}: ${String(error)}`),
    ...changes,
  })
  const ready = async (): Promise<void> => {
    boot.resolve()
    handshake.resolve()
    await turn()
  }
  return { stop, log, boot, handshake, drain, close, ready, end: () => ends.end(), fail: () => ends.fail('bad frame') }
}

it('boots, shakes hands, serves, drains once and stops', async () => {
  const { stop, log, boot, handshake, drain } = setUp()
  expect(log).toEqual(['booting'])
  boot.resolve()
  await turn()
  expect(log.splice(0)).toEqual(['booting', 'handshaking'])
  handshake.resolve()
  await turn()
  expect(log.splice(0)).toEqual(['serves', 'ready'])
  stop()
  stop()
  await turn()
  expect(log.splice(0)).toEqual(['drains', 'draining'])
  drain.resolve()
  await turn()
  stop()
  await turn()
  expect(log).toEqual(['closed', 'stopped'])
})

it('says that it has stopped or failed only after its links have closed', async () => {
  for (const [end, said] of [
    ['end', 'stopped'],
    ['fail', 'failed: bad frame'],
  ] as const) {
    const closing = createDeferred()
    const life = setUp({
      serve(stop, fail) {
        setImmediate(() => (end === 'end' ? stop() : fail('bad frame')))
        return () => closing.promise
      },
    })
    await life.ready()
    await turn()
    expect(life.log.splice(0)).toEqual(['booting', 'handshaking', 'ready'])
    closing.resolve()
    await turn()
    expect(life.log).toEqual([said])
  }
})

it('fails if something was left when its links closed', async () => {
  const life = setUp({
    serve(stop) {
      setImmediate(stop)
      return () => Promise.reject(new Error('3 bytes are lost'))
    },
  })
  await life.ready()
  await turn()
  expect(life.log.at(-1)).toBe('failed: Error: 3 bytes are lost')
})

it('fails with the error of the step that rejects, and stops no more', () =>
  rows(['boot', 'handshake', 'drain'] as const)(async step => {
    const life = setUp()
    if (step !== 'boot') life.boot.resolve()
    if (step === 'drain') {
      await life.ready()
      life.stop()
    }
    await turn()
    life[step].reject(new Error('no'))
    await turn()
    life.stop()
    await turn()
    expect(life.log.at(-1)).toBe('failed: Error: no')
    expect(life.close).toHaveBeenCalledTimes(step === 'drain' ? 1 : 0)
  }))

it('reports the state whose step throws at once, and fails with the error', () =>
  rows([
    ['boot', 'booting'],
    ['handshake', 'handshaking'],
    ['serve', 'ready'],
    ['drain', 'draining'],
  ])(async (step, state) => {
    const throws = (): never => {
      throw new Error('at once')
    }
    const life = setUp({ [step]: throws })
    await life.ready()
    life.stop()
    await turn()
    expect(life.log.filter(entry => entry !== 'closed').slice(-2)).toEqual([state, 'failed: Error: at once'])
  }))

it('ends with its link, and fails with a fault, when ready and when draining', () =>
  rows([
    ['end', 'stopped', false],
    ['end', 'stopped', true],
    ['fail', 'failed: bad frame', false],
    ['fail', 'failed: bad frame', true],
  ] as const)(async (how, state, drains) => {
    const life = setUp()
    await life.ready()
    if (drains) life.stop()
    await turn()
    life[how]()
    await turn()
    life.drain.resolve()
    await turn()
    expect(life.log.slice(-3)).toEqual([drains ? 'draining' : 'ready', 'closed', state])
  }))

it('fails after `ready` with a fault that serving reports at once', async () => {
  const { log, ready } = setUp({
    serve(_end, fail) {
      fail('early')
      return () => {}
    },
  })
  await ready()
  expect(log.slice(-2)).toEqual(['ready', 'failed: early'])
})

it('stops at once while it boots or shakes hands, whatever becomes of that', () =>
  rows(['boot', 'handshake'] as const)(async step => {
    const life = setUp()
    if (step === 'handshake') life.boot.resolve()
    await turn()
    life.stop()
    await turn()
    life[step].reject(new Error('this error is ignored'))
    await turn()
    expect(life.log).toEqual([...(step === 'boot' ? ['booting'] : ['booting', 'handshaking']), 'stopped'])
  }))
