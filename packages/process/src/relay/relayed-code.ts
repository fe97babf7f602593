// What a relay does for any code of a process, a frontend that has it alone or a script of many: it hears its reports, connects its frames to core, and
// knows whether core has taken all of them.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import {
  createHeartbeatFor,
  deadline,
  type FrontendCommand,
  type FrontendReport,
  getMemberStreams,
  type Heartbeat,
  type LifecycleState,
  type ProcessMessage,
  silence,
} from '@sallyport/protocol/internal/contract'
import { type BusError, createUnsentError, reportError } from '@sallyport/protocol/internal/errors'
import { bridge, openLink, StreamLink, type StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { createDeferred, Throttle } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, type Link, MAX_REPORT_BYTES, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import { createMemberParser } from './report-parser.js'

/** Time in which a process could run, for it to take the order to stop, and to exit once it has stopped; for scripts that have failed, or are ended by force. */
export const KILL_TIMEOUT_MS = 250

export abstract class RelayedCode {
  protected lifecycle: LifecycleState | undefined
  /** True for a script of `bus.run`, which a command can interrupt. */
  protected canSuspend = false
  protected readonly parse: ReturnType<typeof createMemberParser> = createMemberParser(() => this.canSuspend)
  readonly #stream: Duplex
  readonly #frames: Duplex
  readonly #control: StreamLink
  /** Code can report any number of these. */
  readonly #unsent = new Throttle<undefined>((_, more) => this.report({ type: 'unsent', count: more + 1 }), 1)
  /** Resolves with false when core is no longer waited for, which reads the last frames that the relay forwards. */
  readonly #abandoned = createDeferred<boolean>()
  readonly #ends = new Set<() => void>()
  #link: Link | undefined
  #bridged: Promise<void> | undefined
  #beat: (() => void) | undefined
  #memory: Int32Array | undefined
  /** Bytes that waited at its last answer. */
  #queued: number | undefined

  /** @param member - its number in the process */
  constructor(streams: StreamMultiplexer, member: number) {
    const { control, link } = getMemberStreams(member)
    this.#stream = streams.open(control)
    this.#frames = streams.open(link)
    this.#control = new StreamLink(this.#stream, MAX_REPORT_BYTES)
  }

  /** @param queued - of the process */
  protected reportAnswer(queued = 0): void {
    this.#queued = queued + (this.#link?.queued ?? 0) + this.#frames.writableLength
    this.report({ type: 'answer', queued: this.#queued })
  }

  /** Tells the host. */
  protected abstract report(report: FrontendReport): void
  protected abstract take(frame: ReceivedFrame): void
  /** Its reports have ended, with its violation of the protocol if there was one. */
  protected abstract controlClosed(fault: BusError | undefined): void
  /** Ends the process, which violated the protocol if there is a fault. */
  protected abstract kill(fault?: BusError): void

  protected listen(): void {
    this.#control.receive({
      isShared: true,
      frame: frame => {
        this.beat()
        this.take(frame)
      },
      closed: fault => this.controlClosed(fault),
    })
  }

  /** Anything that it sends shows that it is not stuck, from the first frame on. */
  beat(): void {
    this.#beat?.()
  }

  protected send(message: ProcessMessage): void {
    this.write({ type: 'message', message })
  }

  protected write(command: { type: 'terminate' } | { type: 'message'; message: ProcessMessage }): void {
    this.#control.send({ kind: FRAME_KIND.json, body: JSON.stringify(command) })
  }

  protected start(start: Uint8Array, heartbeat: Heartbeat | undefined): void {
    this.#control.send({ kind: FRAME_KIND.bytes, body: start })
    if (!heartbeat) return
    this.#beat = createHeartbeatFor(heartbeat)
    this.#memory = new Int32Array(heartbeat.memory)
  }

  /** Says that the code could not beat for so long. */
  addHeld(ms: number): void {
    if (this.#memory) Atomics.add(this.#memory, 1, ms)
  }

  /** Reports states, and calls and events that its client has refused, which it can send in any number. */
  protected pass(report: FrontendReport): void {
    if (report.type === 'unsent') return this.#unsent.add(undefined, report.count)
    if (report.type === 'state') this.lifecycle = report.state
    this.report(report)
  }

  protected reportFailure(error: unknown): void {
    this.report({ type: 'state', state: 'failed', error: reportError(error) })
  }

  /**
   * Says how code has ended. Returns its error.
   *
   * @param isSilent - it was ended by force, as it was asked to end, and has not said that it did
   * @param isCutOff - core has not taken all that it has sent
   */
  protected reportEnd(isSilent: boolean, isCutOff: boolean, fault?: BusError): BusError | undefined {
    const isLost = isSilent ? this.lifecycle === 'draining' && this.#queued !== 0 : isCutOff
    const error = fault ?? (isLost ? createUnsentError('unknown') : undefined)
    // Code that has failed has its own error.
    if (error && this.lifecycle !== 'failed') this.reportFailure(error)
    // Otherwise the host takes its end for one that it has chosen itself.
    else if (isSilent) this.report({ type: 'state', state: 'stopped', isUnanswered: this.lifecycle !== 'draining' })
    return error
  }

  /**
   * Called once: frames cannot be connected to another link. Whoever closes the link, the code goes on until the host restarts it.
   *
   * @param sockets - those that the code can have inherited for its frames, which do not pass the relay then
   */
  protected link({ scripts, link }: Extract<FrontendCommand, { type: 'link' }>, sockets: readonly number[] = []): void {
    this.send({ type: 'link', scripts, sockets })
    if (sockets.length > 0) return
    this.#link = openLink(link, true)
    this.#link.isPatient = true
    this.#bridged = bridge(this.#link, new StreamLink(this.#frames)).then(({ far }) => {
      if (far) this.kill(far)
    })
  }

  /** The same with sockets to whoever has the other ends, and reads the frames: this end copies bytes. */
  protected pipe(to: Socket, from: Socket): void {
    this.#frames.pipe(to)
    from.pipe(this.#frames)
    for (const socket of [to, from]) {
      socket.on('error', () => {}).on('close', () => this.#frames.destroy())
      // What core still sends is dropped. If it were not read, the end of the socket behind it would not be seen.
      this.#frames.on('close', () => socket.resume())
    }
    this.#bridged = finished(to).catch(() => {})
  }

  /** Core might not read what is left. */
  protected closeFrames(): void {
    this.#frames.destroy()
  }

  protected abandon(): void {
    this.#abandoned.resolve(false)
  }

  /** Resolves once core has taken all of its frames, or with false if core is no longer waited for. */
  protected getForwarded(frames: Promise<unknown> | undefined = this.#bridged): Promise<unknown> {
    return Promise.race([frames, this.#abandoned.promise])
  }

  /** @param end - called when the code is closed. Returns a function that calls it before */
  protected untilClosed(end: () => void): () => void {
    this.#ends.add(end)
    return () => {
      this.#ends.delete(end)
      end()
    }
  }

  protected after(ms: number, run: () => void): () => void {
    return this.untilClosed(deadline(ms, run))
  }

  /** Calls `run` once the process could run for `ms` milliseconds and the sign has not changed. */
  protected afterSilence(ms: number, run: () => void, readSign: () => unknown = () => undefined): () => void {
    return this.untilClosed(silence(ms, { readMs: this.createTime(), readSign }, run))
  }

  protected get hasHeartbeat(): boolean {
    return this.#memory !== undefined
  }

  /** @returns see `createProcessTime` */
  abstract createTime(): (turn: number) => number | undefined

  /** The last reports of the code follow its end. */
  protected flush(): void {
    this.#unsent.flush()
  }

  /** Takes no further reports. */
  protected closeControl(): void {
    this.#control.close()
  }

  close(): void {
    this.#link?.close()
    this.#stream.destroy()
    for (const end of this.#ends) end()
    this.#ends.clear()
  }
}
