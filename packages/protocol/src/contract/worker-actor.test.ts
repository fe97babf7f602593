// The order of a worker's states, whatever comes first. The links are closed exactly once.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { type LifecycleEvent, startWorkerActor, type WorkerLifecycle } from './worker-actor.js'

function deferred() {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const promise = new Promise<void>((yes, no) => ([resolve, reject] = [yes, no]))
  return { promise, resolve, reject }
}

/** A lifecycle whose steps the test takes one by one. */
function setUp(changes: Partial<WorkerLifecycle> = {}) {
  const log: string[] = []
  const [boot, handshake, drain] = [deferred(), deferred(), deferred()]
  let send!: (event: LifecycleEvent) => void
  const close = vi.fn<() => void>(() => void log.push('closed'))
  const actor = startWorkerActor({
    boot: () => boot.promise,
    handshake: () => handshake.promise,
    serve(sendEvent) {
      send = sendEvent
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
  return { actor, log, boot, handshake, drain, close, ready, send: (event: LifecycleEvent) => send(event) }
}

describe('a worker', () => {
  it('boots, shakes hands, serves, drains and stops', async () => {
    const { actor, log, boot, handshake, drain, close } = setUp()
    expect(log).toEqual(['booting'])
    boot.resolve()
    await turn()
    expect(log).toEqual(['booting', 'handshaking'])
    handshake.resolve()
    await turn()
    expect(log).toEqual(['booting', 'handshaking', 'serves', 'ready'])
    actor.stop()
    expect(log.slice(4)).toEqual(['drains', 'draining'])
    expect(close).not.toHaveBeenCalled()
    drain.resolve()
    await turn()
    expect(log.slice(6)).toEqual(['closed', 'stopped'])
    expect(close).toHaveBeenCalledOnce()
  })

  it('fails with the error of a rejected boot, handshake or drain', () =>
    rows(['boot', 'handshake', 'drain'] as const)(async step => {
      const worker = setUp()
      if (step !== 'boot') worker.boot.resolve()
      if (step === 'drain') {
        await worker.ready()
        worker.actor.stop()
      }
      await turn()
      worker[step].reject(new Error('no'))
      await turn()
      expect(worker.log.at(-1)).toBe('failed: Error: no')
      expect(worker.close).toHaveBeenCalledTimes(step === 'drain' ? 1 : 0)
    }))

  it('fails with the error that boot, handshake or drain throws synchronously', () =>
    rows(['boot', 'handshake', 'drain'] as const)(async step => {
      const throws = (): never => {
        throw new Error('at once')
      }
      const worker = setUp({ [step]: throws })
      await worker.ready()
      worker.actor.stop()
      await turn()
      expect(worker.log.at(-1)).toBe('failed: Error: at once')
    }))

  it('fails with the error that serve throws', async () => {
    const worker = setUp({
      serve() {
        throw new Error('no link')
      },
    })
    await worker.ready()
    expect(worker.log.at(-1)).toBe('failed: Error: no link')
  })

  it('fails after a fault, when ready and when draining', async () => {
    for (const draining of [false, true]) {
      const worker = setUp()
      await worker.ready()
      if (draining) worker.actor.stop()
      worker.send({ type: 'fault', error: new Error('bad frame') })
      expect(worker.log.at(-1)).toBe('failed: Error: bad frame')
      expect(worker.close).toHaveBeenCalledOnce()
    }
  })

  it('fails after a fault that serve sends synchronously', async () => {
    const worker = setUp({
      serve(send) {
        send({ type: 'fault', error: 'early' })
        return () => {}
      },
    })
    await worker.ready()
    expect(worker.log.at(-1)).toBe('failed: early')
  })

  it('stops when its link closes, when ready and when draining', async () => {
    for (const draining of [false, true]) {
      const worker = setUp()
      await worker.ready()
      if (draining) worker.actor.stop()
      worker.send({ type: 'link.closed' })
      expect(worker.log.slice(-2)).toEqual(['closed', 'stopped'])
      worker.drain.resolve()
      await turn()
      expect(worker.close).toHaveBeenCalledOnce()
      expect(worker.log.at(-1)).toBe('stopped')
    }
  })
})

describe('stop', () => {
  it('stops a booting worker', async () => {
    const worker = setUp()
    worker.actor.stop()
    expect(worker.log).toEqual(['booting', 'stopped'])
    await worker.ready()
    expect(worker.log, 'the end of booting is ignored').toEqual(['booting', 'stopped'])
  })

  it('stops a handshaking worker', async () => {
    const worker = setUp()
    worker.boot.resolve()
    await turn()
    worker.actor.stop()
    worker.handshake.reject(new Error('this error is ignored'))
    await turn()
    expect(worker.log).toEqual(['booting', 'handshaking', 'stopped'])
  })

  it('can be called twice', async () => {
    const worker = setUp()
    await worker.ready()
    worker.actor.stop()
    worker.actor.stop()
    worker.drain.resolve()
    await turn()
    worker.actor.stop()
    expect(worker.log).toEqual(['booting', 'handshaking', 'serves', 'ready', 'drains', 'draining', 'closed', 'stopped'])
  })

  it('has no effect after a failure', async () => {
    const worker = setUp()
    worker.boot.reject(new Error('no'))
    await turn()
    worker.actor.stop()
    expect(worker.log).toEqual(['booting', 'failed: Error: no'])
  })
})
