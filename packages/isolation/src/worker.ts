// The entry of an isolation worker: loads the hook into its sandbox, waits for a link and its session's key, then serves the gate.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import type { GateCommand, GateReport, GateWorkerData, Link, Sealer, SessionKey } from '@sallyport/protocol/internal'
import {
  beat,
  BusError,
  closeEndpoint,
  openLink,
  RECORD_DIRECTION,
  reportError,
  SamplingTimer,
  setDevelopment,
} from '@sallyport/protocol/internal'
import { startWorkerActor } from '@sallyport/protocol/internal/actor'
import { createSealer } from '@sallyport/protocol/internal/records'
import { serveGate } from './gate/gate.js'
import { createHook, type Hook } from './hook/hook.js'
import { createHookWatch, createMemoryCheck } from './hook/watchdog.js'
import type { ConsoleSink } from './sandbox/console.js'

const { label, dir, legacyMessages, confirm, times, ...data } = workerData as GateWorkerData
setDevelopment(data.development)
const control = parentPort!
const report = (message: GateReport): void => control.postMessage(message)

const { rest: sleep } = beat(data.heartbeat)
const log: ConsoleSink = (level, text) => report({ type: 'log', level, text })

const watch = createHookWatch(data.watch)
let hook: Hook
// Without a hook, there is nothing to measure.
const hookTimer = new SamplingTimer(dir !== undefined && times ? () => times.hook : undefined)
const sealTimer = new SamplingTimer(times && (() => times.seal))

/** The latest link that has a key. */
let current: { id: number; link: Link; sealer: Sealer; isEnded: boolean } | undefined
let latestCommand: GateCommand | undefined
let drainTimeoutMs = 0
let onLinkEnded = (): void => {}
/** Called with each new link. Until the gate serves, this ends the handshake. */
let onLink!: () => void
const handshake = new Promise<void>(resolve => (onLink = resolve))

async function useLink(command: Extract<GateCommand, { type: 'link' }>): Promise<void> {
  latestCommand = command
  const [key] = (await once(command.key, 'message')) as [SessionKey]
  command.key.close()
  // Another link has replaced this one in the meantime.
  if (command !== latestCommand) return closeEndpoint(command.link)
  current?.link.close()
  const sealer = createSealer({ ...key, direction: RECORD_DIRECTION })
  key.secret.fill(0)
  current = { id: command.id, link: openLink(command.link, false), sealer, isEnded: false }
  onLink()
}

const actor = startWorkerActor({
  async boot() {
    hook = createHook(null)
    if (dir === undefined) return
    // SES is loaded only if there is a hook.
    const { loadHook } = await import('./hook/load.js')
    hook = await loadHook({ dir, legacyMessages, confirm, watch, sleep, log })
  },
  handshake: () => handshake,
  serve(send) {
    watch.onLeave = createMemoryCheck(limit => {
      const problem = `The isolation hook of ${JSON.stringify(label)} keeps more than ${limit}`
      send({ type: 'fault', error: new BusError('Overloaded', problem) })
    })
    onLink = () => {
      const served = current!
      serveGate({
        ...served,
        hook,
        hookTimer,
        sealTimer,
        watch,
        rejected: (command, why, more) => report({ type: 'rejected', command, why, more }),
        // A closed link does not end the gate: another can follow.
        closed: fault => {
          if (fault) report({ type: 'fault', link: served.id, error: reportError(fault) })
          served.isEnded = true
          onLinkEnded()
        },
      })
    }
    onLink()
    return () => current!.link.close()
  },
  // A frontend that has exited has ended its link, after all that it had sent.
  drain: () =>
    new Promise(resolve => {
      onLinkEnded = () => current!.isEnded && resolve()
      onLinkEnded()
      setTimeout(resolve, drainTimeoutMs)
    }),
  onState(state, error) {
    control.postMessage({ type: 'state', state, error: error === undefined ? undefined : reportError(error) })
    if (state === 'stopped' || state === 'failed') setImmediate(() => process.exit())
  },
})

control.on('message', (command: GateCommand) => {
  if (command.type === 'link') return void useLink(command)
  drainTimeoutMs = command.timeout
  actor.stop()
})

// A rejected promise of the hook must not end its gate. The reason is not read, because reading it can run the hook's code.
process.on('unhandledRejection', () => log('warn', 'The isolation hook did not catch the rejection of a promise'))
