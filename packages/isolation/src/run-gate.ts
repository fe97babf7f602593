// One gate: loads the hook into its sandbox, waits for a link and its session's key, then serves. A thread can have several gates, and can let
// calls pass one of its own before the first of them.
import { once } from 'node:events'
import type {
  Beating,
  GateCommand,
  GateReport,
  GateWorkerData,
  SessionKey,
  MemberConnection,
} from '@sallyport/protocol/internal/contract'
import type { Sealer } from '@sallyport/protocol/internal/records'
import type { Link } from '@sallyport/protocol/internal/wire'
import { beat, RECORD_DIRECTION, serveLife, within } from '@sallyport/protocol/internal/contract'
import { BusError, createUnsentError, reportError } from '@sallyport/protocol/internal/errors'
import { codecs } from '@sallyport/protocol/internal/codec'
import { closeEndpoint, connectDirect, createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { assertNever, createDeferred, SamplingTimer, setDevelopment } from '@sallyport/protocol/internal/util'
import { createSealer, createSessionSecret } from '@sallyport/protocol/internal/records'
import { serveGate } from './gate/gate.js'
import { createHook, type Hook } from './hook/hook.js'
import { createHookWatch, createMemoryCheck } from './hook/hook-watch.js'
import type { ConsoleSink } from './compartment/console.js'

/** The host, as a gate sees it. */
export type GateHost = Pick<MemberConnection, 'postMessage' | 'onMessage' | 'onTerminate' | 'failThread' | 'exit'>

/** Time for the socket of a process, which comes soon after a gate has started, or much later. */
const SOCKET_TIMEOUT_MS = 50

/** Heartbeats of all gates of this thread. A `confirm` blocks each of them. */
const heartbeats = new Set<Beating>()

/** Blocks the thread without a missed heartbeat of any gate. */
function sleep<T>(block: () => T): T {
  let run = block
  for (const { rest } of heartbeats) {
    const inner = run
    run = () => rest(inner)
  }
  return run()
}

export function runGate(host: GateHost, { label, dir, legacyMessages, confirm, times, ...data }: GateWorkerData): void {
  setDevelopment(data.development)
  const report = (message: GateReport): void => host.postMessage(message)
  const log: ConsoleSink = (level, text) => report({ type: 'log', level, text })
  const heartbeat = beat(data.heartbeat)
  heartbeats.add(heartbeat)

  const watch = createHookWatch(data.watch, log)
  const socketBegun = createDeferred()
  let hook: Hook
  // Without a hook, there is nothing to measure.
  const hookTimer = new SamplingTimer(dir !== undefined && times ? () => times.hook : undefined)
  const sealTimer = new SamplingTimer(times && (() => times.seal))

  /** The latest link that has a key. */
  let current: { id: number; link: Link; sealer: Sealer } | undefined
  /** The links of code that runs, or whose messages have not all left. */
  const served = new Set<Link>()
  /** The latest link that has none yet. */
  let waiting: Extract<GateCommand, { type: 'link' }> | undefined
  let hasExited = false
  /** Resolved once no link is served any more, or the time for that is over. */
  const drained = createDeferred()
  let drainTimeoutMs = 0
  let onLinksEnded = (): void => {}
  /** Called with each new link. Until the gate serves, this ends the handshake. */
  let onLink!: () => void
  const handshake = new Promise<void>(resolve => (onLink = resolve))

  async function useLink(command: Extract<GateCommand, { type: 'link' }>): Promise<void> {
    waiting = command
    const [key] = (await once(command.key, 'message')) as [SessionKey]
    command.key.close()
    // Another link has replaced this one in the meantime.
    if (command !== waiting) return closeEndpoint(command.link)
    waiting = undefined
    const sealer = createSealer({ ...key, direction: RECORD_DIRECTION })
    key.secret.fill(0)
    current = { id: command.id, link: openLink(command.link, false), sealer }
    served.add(current.link)
    onLink()
  }

  /** Releases what the thread, which can have other gates, would keep. */
  function exit(code: number): void {
    if (hasExited) return
    hasExited = true
    heartbeats.delete(heartbeat)
    heartbeat.stop()
    if (waiting) {
      closeEndpoint(waiting.link)
      waiting.key.close()
    }
    waiting = undefined
    for (const link of served) link.close()
    drained.resolve()
    confirm?.port.close()
    host.exit(code)
  }

  const stop = serveLife({
    async boot() {
      hook = createHook(null)
      if (dir === undefined) return
      // To load SES takes long, and the process can start meanwhile.
      if (data.awaitsSocket) await within(SOCKET_TIMEOUT_MS, socketBegun.promise)
      // SES is loaded only if there is a hook.
      const { loadHook } = await import('./hook/load.js')
      hook = await loadHook({ dir, legacyMessages, confirm, watch, sleep, log })
    },
    handshake: () => handshake,
    serve(_end, fail) {
      watch.onLeave = createMemoryCheck(limit => {
        const problem = data.isShared
          ? 'The isolation hooks of a shared gate keep'
          : `The isolation hook of ${JSON.stringify(label)} keeps`
        const error = new BusError('Overloaded', `${problem} more than ${limit}`)
        // The memory can be that of another hook in this thread.
        if (data.isShared) host.failThread(error)
        else fail(error)
      })
      onLink = () => {
        const { id, link, sealer } = current!
        serveGate({
          link,
          sealer,
          hook,
          hookTimer,
          sealTimer,
          watch,
          rejected: (command, why, more) => report({ type: 'rejected', command, why, more }),
          // A closed link does not end the gate: another can follow.
          closed: fault => {
            if (fault) report({ type: 'fault', link: id, error: reportError(fault) })
            served.delete(link)
            if (served.size === 0) onLinksEnded()
          },
        })
      }
      onLink()
      return async () => {
        const links = [...served]
        for (const link of links) link.close()
        for (const link of links) await link.room()
      }
    },
    // A frontend that has exited has ended its link, after all that it had sent.
    async drain() {
      if (served.size === 0) drained.resolve()
      onLinksEnded = drained.resolve
      await drained.promise
      // A gate that is reloaded alone has no time, and its frontend another link.
      if (served.size === 0 || drainTimeoutMs === 0) return
      // What is left is lost: nobody waits for room for it.
      for (const link of served) link.close()
      served.clear()
      throw createUnsentError('unknown')
    },
    onState(state, error) {
      host.postMessage({ type: 'state', state, error: error === undefined ? undefined : reportError(error) })
      if (state === 'stopped' || state === 'failed') setImmediate(() => exit(0))
    },
  })

  host.onMessage(message => {
    const command = message as GateCommand
    switch (command.type) {
      case 'link':
        return void useLink(command)
      case 'socket':
        return connectDirect(command.socket, socketBegun.resolve)
      case 'ask':
        return host.postMessage({ type: 'answer' })
      case 'stop':
        // A reload gives it more time than the close that follows.
        drainTimeoutMs = command.timeout
        void within(command.timeout, drained.promise).then(drained.resolve)
        return stop()
      default:
        return assertNever(command)
    }
  })
  host.onTerminate(() => exit(1))
}

const WARM_UP_CALLS = 30

/**
 * Lets calls pass a gate whose frontend and core are in this thread. V8 compiles a function when it is first called, and interprets it at
 * first: the first calls of a frontend would take several times as long. Resolves after some milliseconds of work in pieces of one call.
 */
export async function warmUpGate(): Promise<void> {
  const [near, far] = createLinkEndpoints('ring', 'never')
  const ignore = (): void => {}
  const session = new Uint8Array(16)
  const secret = createSessionSecret(new Uint8Array(32), session)
  serveGate({
    link: openLink(far, false),
    sealer: createSealer({ session, secret, direction: RECORD_DIRECTION }),
    hook: createHook(message => message),
    hookTimer: new SamplingTimer(undefined),
    sealTimer: new SamplingTimer(undefined),
    watch: createHookWatch(new SharedArrayBuffer(4)),
    rejected: ignore,
    closed: ignore,
  })
  const client = openLink(near, true)
  const { json } = codecs
  let onRecord = ignore
  client.receive({ frame: () => onRecord(), closed: () => onRecord() })
  for (let id = 1; id <= WARM_UP_CALLS; id++) {
    const passed = new Promise<void>(resolve => (onRecord = resolve))
    const call = json.encode({ jsonrpc: '2.0', id, method: 'greet', params: { name: 'World' } })
    client.send({ kind: json.kind, body: json.join([call as string]) })
    await passed
  }
  client.close()
}
