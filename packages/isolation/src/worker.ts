// The entry of an isolation worker: loads the hook into its sandbox, waits for its session's key, then serves its gate.
import {
  BusError,
  RECORD_DIRECTION,
  openLink,
  reportError,
  type GateReport,
  type GateWorkerData,
  type Sealer,
  type SessionKey,
} from '@sallyport/protocol'
import { startWorkerActor } from '@sallyport/protocol/actor'
import { createSealer } from '@sallyport/protocol/records'
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { serveGate } from './gate.js'
import { createMemoryCheck } from './hook-memory.js'
import { createHookWatch } from './hook-watch.js'
import { createHook, type Hook } from './hook.js'
import type { ConsoleSink } from './sandbox-console.js'

const { label, dir, envelope, cipher, link, key: keyPort, confirm, ...given } = workerData as GateWorkerData
const control = parentPort!
const report = (message: GateReport): void => control.postMessage(message)

const log: ConsoleSink = (level, text) => report({ type: 'log', level, text })

let checkMemory = (): void => {}
const watch = createHookWatch(given.watch, () => checkMemory())
let hook: Hook
let sealer: Sealer

const actor = startWorkerActor({
  async boot() {
    hook = createHook(null)
    if (dir === undefined) return
    // SES is loaded only for a hook that needs it.
    const { loadHook } = await import('./load-hook.js')
    hook = await loadHook({ dir, envelope, confirm, watch, log })
  },
  async handshake() {
    const [received] = (await once(keyPort, 'message')) as [SessionKey | undefined]
    if (!received) throw new BusError('InternalError', 'Core gave no key')
    keyPort.close()
    sealer = cipher ? createSealer({ ...received, direction: RECORD_DIRECTION }) : await createPlain()
    received.secret.fill(0)
  },
  serve(send) {
    const port = openLink(link, false)
    checkMemory = createMemoryCheck(what => {
      const problem = `The isolation hook of ${JSON.stringify(label)} keeps more than ${what}`
      send({ type: 'fault', error: new BusError('Overloaded', problem) })
    })
    serveGate({
      link: port,
      sealer,
      hook,
      watch,
      rejected: (command, why, more) => report({ type: 'rejected', command, why, more }),
      closed(fault) {
        if (fault) report({ type: 'fault', error: reportError(fault) })
        send({ type: 'link.closed' })
      },
    })
    return () => port.close()
  },
  drain: async () => {},
  entered(state, error) {
    control.postMessage({ type: 'state', state, error: error === undefined ? undefined : reportError(error) })
    if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit())
  },
})

control.on('message', () => actor.stop())

// A promise that a hook leaves lying is no reason to end its gate. What it was rejected with is not looked at.
process.on('unhandledRejection', () => log('warn', 'The isolation hook left a promise rejected, and nobody caught it'))

async function createPlain(): Promise<Sealer> {
  const { createPlainSealer } = await import('@sallyport/protocol/internal')
  return createPlainSealer()
}
