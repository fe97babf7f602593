// The entry of an isolation worker: loads the hook into its sandbox, waits for a link and its session's key, then serves its gate.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import {
  beat,
  BusError,
  type GateCommand,
  type GateReport,
  type GateWorkerData,
  type Link,
  openLink,
  RECORD_DIRECTION,
  reportError,
  type Sealer,
  type SessionKey,
} from '@sallyport/protocol'
import { startWorkerActor } from '@sallyport/protocol/actor'
import { createSealer } from '@sallyport/protocol/records'
import { serveGate } from './gate/gate.js'
import { timedHook, timedSealer } from './gate/metrics.js'
import { createHook, type Hook } from './hook/hook.js'
import { createHookWatch, createMemoryCheck } from './hook/watchdog.js'
import type { ConsoleSink } from './sandbox/console.js'

const { label, dir, envelope, cipher, confirm, heartbeat, ...given } = workerData as GateWorkerData
const control = parentPort!
const report = (message: GateReport): void => control.postMessage(message)

const asleep = beat(heartbeat)
const log: ConsoleSink = (level, text) => report({ type: 'log', level, text })

let checkMemory = (): void => {}
const watch = createHookWatch(given.watch, () => checkMemory())
let hook: Hook

/** The latest link for which there is a key. */
let linked: { link: Link; sealer: Sealer } | undefined
let latest: GateCommand | undefined
/** What is done with a link: before the gate serves, the handshake is over. */
let take!: () => void
const handshake = new Promise<void>(resolve => (take = resolve))

async function join(command: Extract<GateCommand, { type: 'link' }>): Promise<void> {
  latest = command
  const [received] = (await once(command.key, 'message')) as [SessionKey]
  command.key.close()
  // Another may have come meanwhile, in its place.
  if (command !== latest) return command.link.port.close()
  linked?.link.close()
  const sealer = cipher
    ? timedSealer(createSealer({ ...received, direction: RECORD_DIRECTION }), given.times)
    : await createPlain()
  received.secret.fill(0)
  linked = { link: openLink(command.link, false), sealer }
  take()
}

const actor = startWorkerActor({
  async boot() {
    hook = createHook(null)
    if (dir === undefined) return
    // SES is loaded only for a hook that needs it.
    const { loadHook } = await import('./hook/load.js')
    hook = timedHook(await loadHook({ dir, envelope, confirm, watch, asleep, log }), given.times)
  },
  handshake: () => handshake,
  serve(send) {
    checkMemory = createMemoryCheck(what => {
      const problem = `The isolation hook of ${JSON.stringify(label)} keeps more than ${what}`
      send({ type: 'fault', error: new BusError('Overloaded', problem) })
    })
    take = () =>
      serveGate({
        ...linked!,
        hook,
        watch,
        rejected: (command, why, more) => report({ type: 'rejected', command, why, more }),
        // Another may follow.
        closed: fault => fault && report({ type: 'fault', error: reportError(fault) }),
      })
    take()
    return () => linked!.link.close()
  },
  drain: async () => {},
  entered(state, error) {
    control.postMessage({ type: 'state', state, error: error === undefined ? undefined : reportError(error) })
    if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit())
  },
})

control.on('message', (command: GateCommand) => {
  if (command.type === 'stop') actor.stop()
  else void join(command)
})

// A promise that a hook leaves lying is no reason to end its gate. What it was rejected with is not looked at.
process.on('unhandledRejection', () => log('warn', 'The isolation hook left a promise rejected, and nobody caught it'))

async function createPlain(): Promise<Sealer> {
  const { createPlainSealer } = await import('@sallyport/protocol/internal')
  return createPlainSealer()
}
