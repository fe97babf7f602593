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
import { BusError, reportError } from '@sallyport/protocol/internal/errors'
import { codecs } from '@sallyport/protocol/internal/codec'
import { closeEndpoint, connectDirect, createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { assertNever, createDeferred, SamplingTimer, setDevelopment } from '@sallyport/protocol/internal/util'
import { createSealer, createSessionSecret } from '@sallyport/protocol/internal/records'
import { serveGate } from './gate/gate.js'
import { createHook, type Hook } from './hook/hook.js'
import { createHookWatch, createMemoryCheck, type HookWatch } from './hook/hook-watch.js'
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

export function runGate(host: GateHost, data: GateWorkerData): void {
  new GateLife(host, data).begin()
}

type LinkCommand = Extract<GateCommand, { type: 'link' }>
type KeyedLink = { id: number; link: Link; sealer: Sealer }

/** The phases are those of `serveLife`: boot, handshake, serve, drain, and the end. */
class GateLife {
  readonly #host: GateHost
  readonly #data: GateWorkerData
  readonly #heartbeat: Beating
  readonly #log: ConsoleSink
  readonly #watch: HookWatch
  readonly #hookTimer: SamplingTimer
  readonly #sealTimer: SamplingTimer
  readonly #socketBegun = createDeferred()
  #hook: Hook = createHook(null)
  /** The latest link that has a key. */
  #current: KeyedLink | undefined
  /** The links of code that runs, or whose messages have not all left. */
  readonly #served = new Set<Link>()
  /** The latest link that has no key yet. */
  #waiting: LinkCommand | undefined
  readonly #handshake = createDeferred()
  #serves = false
  #hasExited = false
  /** Resolved once no link is served any more, or nobody waits for that. */
  readonly #drained = createDeferred()
  #isDraining = false
  #stop: () => void = () => {}

  constructor(host: GateHost, data: GateWorkerData) {
    this.#host = host
    this.#data = data
    const { dir, times } = data
    setDevelopment(data.development)
    this.#heartbeat = beat(data.heartbeat)
    heartbeats.add(this.#heartbeat)
    this.#log = (level, text) => this.#report({ type: 'log', level, text })
    this.#watch = createHookWatch(data.watch, this.#log)
    // Without a hook, there is nothing to measure.
    this.#hookTimer = new SamplingTimer(dir !== undefined && times ? () => times.hook : undefined)
    this.#sealTimer = new SamplingTimer(times && (() => times.seal))
  }

  begin(): void {
    this.#stop = serveLife({
      boot: () => this.#boot(),
      handshake: () => this.#handshake.promise,
      serve: (_end, fail) => this.#serve(fail),
      drain: () => this.#drain(),
      onState: (state, error) => {
        this.#host.postMessage({ type: 'state', state, error: error === undefined ? undefined : reportError(error) })
        if (state === 'stopped' || state === 'failed') setImmediate(() => this.#exit(0))
      },
    })
    this.#host.onMessage(message => this.#obey(message as GateCommand))
    this.#host.onTerminate(() => this.#exit(1))
  }

  #report(message: GateReport): void {
    this.#host.postMessage(message)
  }

  #obey(command: GateCommand): void {
    switch (command.type) {
      case 'link':
        return void this.#useLink(command)
      case 'socket':
        return connectDirect(command.socket, this.#socketBegun.resolve)
      case 'ask':
        return this.#host.postMessage({ type: 'answer', queued: sum(this.#served) })
      case 'stop':
        // A gate that is reloaded alone has no time, and its frontend another link. Otherwise the host ends it if core takes no more.
        if (command.timeout === 0) this.#drained.resolve()
        return this.#stop()
      default:
        return assertNever(command)
    }
  }

  async #boot(): Promise<void> {
    const { dir, legacyMessages, confirm, awaitsSocket } = this.#data
    if (dir === undefined) return
    // To load SES takes long, and the process can start meanwhile.
    if (awaitsSocket) await within(SOCKET_TIMEOUT_MS, this.#socketBegun.promise)
    // SES is loaded only if there is a hook.
    const { loadHook } = await import('./hook/load.js')
    this.#hook = await loadHook({ dir, legacyMessages, confirm, watch: this.#watch, sleep, log: this.#log })
  }

  async #useLink(command: LinkCommand): Promise<void> {
    this.#waiting = command
    const [key] = (await once(command.key, 'message')) as [SessionKey]
    command.key.close()
    // Another link has replaced this one in the meantime.
    if (command !== this.#waiting) return closeEndpoint(command.link)
    this.#waiting = undefined
    const sealer = createSealer({ ...key, direction: RECORD_DIRECTION })
    key.secret.fill(0)
    this.#current = { id: command.id, link: openLink(command.link, false), sealer }
    // The host ends it if core takes no more.
    this.#current.link.isPatient = true
    this.#served.add(this.#current.link)
    this.#handshake.resolve()
    if (this.#serves) this.#serveLink(this.#current)
  }

  #serve(fail: (error: BusError) => void): () => Promise<void> {
    const { label, isShared } = this.#data
    this.#watch.onLeave = createMemoryCheck(limit => {
      const problem = isShared
        ? 'The isolation hooks of a shared gate keep'
        : `The isolation hook of ${JSON.stringify(label)} keeps`
      const error = new BusError('Overloaded', `${problem} more than ${limit}`)
      // The memory can be that of another hook in this thread.
      if (isShared) this.#host.failThread(error)
      else fail(error)
    })
    this.#serves = true
    this.#serveLink(this.#current!)
    return async () => {
      const links = [...this.#served]
      for (const link of links) link.close()
      for (const link of links) await link.room()
    }
  }

  #serveLink({ id, link, sealer }: KeyedLink): void {
    serveGate({
      link,
      sealer,
      hook: this.#hook,
      hookTimer: this.#hookTimer,
      sealTimer: this.#sealTimer,
      watch: this.#watch,
      rejected: (command, why, more) => this.#report({ type: 'rejected', command, why, more }),
      // A closed link does not end the gate: another can follow.
      closed: fault => {
        if (fault) this.#report({ type: 'fault', link: id, error: reportError(fault) })
        this.#served.delete(link)
        if (this.#served.size === 0 && this.#isDraining) this.#drained.resolve()
      },
    })
  }

  /** A frontend that has exited has ended its link, after all that it had sent. */
  async #drain(): Promise<void> {
    this.#isDraining = true
    if (this.#served.size === 0) this.#drained.resolve()
    await this.#drained.promise
  }

  /** Releases what the thread, which can have other gates, would keep. */
  #exit(code: number): void {
    if (this.#hasExited) return
    this.#hasExited = true
    heartbeats.delete(this.#heartbeat)
    this.#heartbeat.stop()
    if (this.#waiting) {
      closeEndpoint(this.#waiting.link)
      this.#waiting.key.close()
    }
    this.#waiting = undefined
    for (const link of this.#served) link.close()
    this.#drained.resolve()
    this.#data.confirm?.port.close()
    this.#host.exit(code)
  }
}

/** Also of a frame that has not arrived whole: the host sees that they get on. */
const sum = (links: Iterable<Link>): number =>
  [...links].reduce((all, { queued, begun = 0 }) => all + queued + begun, 0)

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
