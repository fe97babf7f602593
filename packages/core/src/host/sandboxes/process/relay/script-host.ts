// A process of many scripts, as its relay sees it. The scripts are members of the thread of that relay, and have streams of the process's pipe.
import type { Duplex } from 'node:stream'
import { createHeartbeatFor, every, getScriptStreams, type Heartbeat } from '@sallyport/protocol/internal/contract'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { StreamMultiplexer } from '@sallyport/protocol/internal/link'

/** Errors of processes that are gone, for scripts that were sent to them before the host knew. */
const MAX_ENDED = 64

/** The processes of this thread, by id: the error of one that is gone. */
const hosts = new Map<number, ScriptHost | Error>()

/** The streams of one script. */
export interface ScriptStreams {
  readonly control: Duplex
  /** Opens the stream for its frames, once. */
  openLink(): Duplex
  /** The script has sent something: the host watches it from then on. */
  beat(): void
  /** Gives the streams up. */
  close(): void
}

interface Script {
  readonly beat: (() => void) | undefined
  ended(error: Error): void
}

/** What the relay of the process does. */
export interface ScriptHostRelay {
  /** Ends the process, after a protocol violation. */
  kill(error: BusError): void
  /** Its answer shows that the event loop of the process is not blocked. */
  ping(): void
  /** Ends the process unless it answers in time. One that answers has also ended the scripts whose streams were closed before. */
  ask(timeout: number, error: BusError): void
  /** The pipe has closed, with the violation of the process, if there was one: the process exits, or is ended. */
  closed(fault?: BusError): void
}

export class ScriptHost {
  /** False once the pipe has closed: the relay of the process says why. */
  isOpen = true
  readonly #id: number
  readonly #streams: StreamMultiplexer
  readonly relay: ScriptHostRelay
  readonly #scripts = new Map<number, Script>()
  #lastScript = 0
  #pings: (() => void) | undefined

  /** @throws the error of a process that is gone, or could not be started */
  static get(id: number): ScriptHost {
    const host = hosts.get(id)
    if (host instanceof ScriptHost) return host
    throw host ?? new Error('The process of the script is gone')
  }

  /** Records that a process could not be started. */
  static failed(id: number, error: Error): void {
    hosts.set(id, error)
    const ended = [...hosts].filter(([, host]) => host instanceof Error)
    if (ended.length > MAX_ENDED) hosts.delete(ended[0]![0])
  }

  constructor(id: number, pipe: Duplex, relay: ScriptHostRelay) {
    this.#id = id
    this.relay = relay
    this.#streams = new StreamMultiplexer(pipe, {
      closed: fault => {
        this.isOpen = false
        relay.closed(fault)
      },
    })
    hosts.set(id, this)
  }

  /** @param ended - called if the process ends before the script does */
  open(heartbeat: Heartbeat | undefined, ended: (error: Error) => void): ScriptStreams {
    const script = ++this.#lastScript
    const ids = getScriptStreams(script)
    const beat = heartbeat && createHeartbeatFor(heartbeat)
    this.#scripts.set(script, { beat, ended })
    if (heartbeat) this.#pings ??= every(heartbeat.every, () => this.relay.ping())
    return {
      control: this.#streams.open(ids.control),
      openLink: () => this.#streams.open(ids.link),
      beat: () => beat?.(),
      close: () => {
        this.#scripts.delete(script)
        if (this.#scripts.size > 0) return
        this.#pings?.()
        this.#pings = undefined
      },
    }
  }

  /** The event loop of the process is not blocked. */
  beat(): void {
    for (const { beat } of this.#scripts.values()) beat?.()
  }

  /** The process has exited. */
  ended(error: Error): void {
    ScriptHost.failed(this.#id, error)
    this.#pings?.()
    for (const script of [...this.#scripts.values()]) script.ended(error)
    this.#scripts.clear()
  }
}
