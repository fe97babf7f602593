// A worker's life: which state follows which, whatever comes first, and that what serves is closed exactly once.
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { type LifecycleEvent, startWorkerActor, type WorkerLifecycle } from './lifecycle.js'

function deferred() {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
  return { promise, resolve, reject }
}

/** A life whose every step is taken by hand. */
function setUp(changes: Partial<WorkerLifecycle> = {}) {
  const log: string[] = []
  const [boot, handshake, drain] = [deferred(), deferred(), deferred()]
  let send!: (event: LifecycleEvent) => void
  const close = vi.fn<() => void>(() => void log.push('closed'))
  const actor = startWorkerActor({
    boot: () => boot.promise,
    handshake: () => handshake.promise,
    serve(given) {
      send = given
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
    await delay(1)
  }
  return { actor, log, boot, handshake, drain, close, ready, send: (event: LifecycleEvent) => send(event) }
}

describe('a worker', () => {
  it('boots, shakes hands, serves, drains and stops', async () => {
    const { actor, log, boot, handshake, drain, close } = setUp()
    expect(log).toEqual(['booting'])
    boot.resolve()
    await delay(1)
    expect(log).toEqual(['booting', 'handshaking'])
    handshake.resolve()
    await delay(1)
    expect(log).toEqual(['booting', 'handshaking', 'serves', 'ready'])
    actor.stop()
    expect(log.slice(4)).toEqual(['drains', 'draining'])
    expect(close).not.toHaveBeenCalled()
    drain.resolve()
    await delay(1)
    expect(log.slice(6)).toEqual(['closed', 'stopped'])
    expect(close).toHaveBeenCalledOnce()
  })

  it.each(['boot', 'handshake', 'drain'] as const)('that fails in %s has failed, with its error', async step => {
    const life = setUp()
    if (step !== 'boot') life.boot.resolve()
    if (step === 'drain') {
      await life.ready()
      life.actor.stop()
    }
    await delay(1)
    life[step].reject(new Error('no'))
    await delay(1)
    expect(life.log.at(-1)).toBe('failed: Error: no')
    expect(life.close).toHaveBeenCalledTimes(step === 'drain' ? 1 : 0)
  })

  it.each(['boot', 'handshake', 'drain'] as const)('fails where %s throws at once, too', async step => {
    const throws = (): never => {
      throw new Error('at once')
    }
    const life = setUp({ [step]: throws })
    await life.ready()
    life.actor.stop()
    await delay(1)
    expect(life.log.at(-1)).toBe('failed: Error: at once')
  })

  it('fails where serve throws', async () => {
    const life = setUp({
      serve() {
        throw new Error('no link')
      },
    })
    await life.ready()
    expect(life.log.at(-1)).toBe('failed: Error: no link')
  })

  it('fails by a fault, when ready and when draining', async () => {
    for (const draining of [false, true]) {
      const life = setUp()
      await life.ready()
      if (draining) life.actor.stop()
      life.send({ type: 'fault', error: new Error('bad frame') })
      expect(life.log.at(-1)).toBe('failed: Error: bad frame')
      expect(life.close).toHaveBeenCalledOnce()
    }
  })

  it('fails by a fault that is sent while it begins to serve', async () => {
    const life = setUp({
      serve(send) {
        send({ type: 'fault', error: 'early' })
        return () => {}
      },
    })
    await life.ready()
    expect(life.log.at(-1)).toBe('failed: early')
  })

  it('stops when its link closes, when ready and when draining', async () => {
    for (const draining of [false, true]) {
      const life = setUp()
      await life.ready()
      if (draining) life.actor.stop()
      life.send({ type: 'link.closed' })
      expect(life.log.slice(-2)).toEqual(['closed', 'stopped'])
      life.drain.resolve()
      await delay(1)
      expect(life.close).toHaveBeenCalledOnce()
      expect(life.log.at(-1)).toBe('stopped')
    }
  })
})

describe('stop', () => {
  it('ends a worker that boots', async () => {
    const life = setUp()
    life.actor.stop()
    expect(life.log).toEqual(['booting', 'stopped'])
    await life.ready()
    expect(life.log, 'what boots on is not heard of').toEqual(['booting', 'stopped'])
  })

  it('ends a worker that shakes hands', async () => {
    const life = setUp()
    life.boot.resolve()
    await delay(1)
    life.actor.stop()
    life.handshake.reject(new Error('nobody hears of it'))
    await delay(1)
    expect(life.log).toEqual(['booting', 'handshaking', 'stopped'])
  })

  it('twice is once', async () => {
    const life = setUp()
    await life.ready()
    life.actor.stop()
    life.actor.stop()
    life.drain.resolve()
    await delay(1)
    life.actor.stop()
    expect(life.log).toEqual(['booting', 'handshaking', 'serves', 'ready', 'drains', 'draining', 'closed', 'stopped'])
  })

  it('after a failure changes nothing', async () => {
    const life = setUp()
    life.boot.reject(new Error('no'))
    await delay(1)
    life.actor.stop()
    expect(life.log).toEqual(['booting', 'failed: Error: no'])
  })
})
