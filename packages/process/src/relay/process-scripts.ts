// The scripts of a process that has many: members of it, as others are members of a thread. Between the port of the host and the streams of the
// process's pipe, this checks what a script says, and ends one that does not end by itself.
import type { MessagePort } from 'node:worker_threads'
import {
  ANSWER_TIMEOUT_MS,
  every,
  type FrontendCommand,
  type FrontendReport,
  MAX_OUTPUT_TEXT,
  type MemberCommand,
  type MemberMessages,
  MemberOutbox,
  type MemberReport,
  readMembers,
  serializeValue,
  silence,
} from '@sallyport/protocol/internal/contract'
import { BusError, describeThrown } from '@sallyport/protocol/internal/errors'
import type { StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { MAX_LAST_OUTPUT, MAX_WAITING_OUTPUT, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import type { ScriptData } from './relay-data.js'
import { KILL_TIMEOUT_MS, RelayedCode } from './relayed-code.js'

/** What a script has that ends. Texts are joined up to half of the maximum length. */
const MAX_UNREAD_TEXTS = (2 * (MAX_LAST_OUTPUT + MAX_WAITING_OUTPUT)) / MAX_OUTPUT_TEXT

/** What its scripts want of the relay of a process. */
export interface ProcessControl {
  /** Ends the process, with the violation of the protocol if there was one. */
  kill(error?: BusError): void
  /** Its answer shows that the event loop of the process is not blocked. */
  ask(): void
  /** Calls back once the event loop of the process has turned some times. */
  turned(onTurned: () => void): void
  /** @returns see `createProcessTime` */
  createTime(): (turn: number) => number | undefined
}

/** Asks a process again and again, and tells for how long it could not answer: the host judges its silence. */
export function askEvery(
  ms: number,
  control: Pick<ProcessControl, 'ask' | 'createTime'>,
  addHeld: (ms: number) => void,
): () => void {
  const readMs = control.createTime()
  let last = readMs(0) ?? 0
  return every(ms, () => {
    const now = readMs(ms) ?? last
    const held = Math.floor(ms - (now - last))
    last = now
    if (held > 0) addHeld(held)
    control.ask()
  })
}

export class ProcessScripts {
  /** False once the pipe has closed: the relay of the process says why. */
  isOpen = true
  /** Frames of the process and its scripts. */
  beats = 0
  readonly streams: StreamMultiplexer
  readonly control: ProcessControl
  readonly #scripts = new Map<number, RelayedScript>()
  #lastScript = 0
  #port: MessagePort | undefined
  #outbox: MemberOutbox | undefined
  #stopAsking: (() => void) | undefined
  #endWait: (() => void) | undefined

  constructor(streams: StreamMultiplexer, control: ProcessControl) {
    this.streams = streams
    this.control = control
  }

  pipeClosed(): void {
    this.isOpen = false
  }

  get size(): number {
    return this.#scripts.size
  }

  /** @param port - has the messages of all scripts */
  connect(port: MessagePort): void {
    this.#port = port
    const failed = (_id: number, error: unknown): void =>
      this.control.kill(new BusError('InternalError', `A report could not be sent: ${describeThrown(error)}`))
    const outbox = (this.#outbox = new MemberOutbox(port, failed))
    port.on('message', (messages: MemberMessages<MemberCommand>) =>
      readMembers(messages, (id, command) => {
        if (command.type !== 'start') return this.#scripts.get(id)?.handle(command)
        const data = command.data as ScriptData
        if (data.heartbeat) this.#stopAsking ??= askEvery(data.heartbeat.every, this.control, ms => this.#addHeld(ms))
        const post = (report: MemberReport): void => {
          outbox.post(id, report)
          if (report.type === 'exited') this.#remove(id)
        }
        this.#scripts.set(id, new RelayedScript(this, ++this.#lastScript, data, post))
      }),
    )
  }

  #addHeld(ms: number): void {
    for (const script of this.#scripts.values()) script.addHeld(ms)
  }

  #remove(id: number): void {
    this.#scripts.delete(id)
    this.awaitEnds()
    if (this.#scripts.size > 0) return
    this.#stopAsking?.()
    this.#stopAsking = undefined
  }

  beat(): void {
    this.beats++
    for (const script of this.#scripts.values()) script.beat()
  }

  /** Kills the process if nothing but scripts that are ended by force is left, and none ends: each that computes would make the next one wait. */
  awaitEnds(): void {
    this.#endWait?.()
    this.#endWait = silence(KILL_TIMEOUT_MS, { readMs: this.control.createTime() }, () => {
      const scripts = [...this.#scripts.values()]
      if (scripts.length > 0 && scripts.every(({ isEnding }) => isEnding))
        this.control.kill(scripts[0]!.createLateError())
    })
  }

  /** The process has exited. Resolves once core has what its scripts have sent. */
  async forwarded(): Promise<void> {
    await Promise.all(Array.from(this.#scripts.values(), script => script.forwarded()))
  }

  close(): void {
    this.#stopAsking?.()
    this.#endWait?.()
    for (const script of this.#scripts.values()) script.close()
    this.#outbox?.flush()
    this.#port?.close()
  }
}

/** A script of many in a process: it is ended alone, and the process with it only if it runs on. */
class RelayedScript extends RelayedCode {
  readonly #process: ProcessScripts
  readonly #name: string
  readonly #maxRunMs: number
  readonly #post: (report: MemberReport) => void
  readonly #unread = { stdout: 0, stderr: 0 }
  /** It is ended by force. */
  isEnding = false
  #isStopping = false
  #asked = 0
  #answered = 0
  #hasExited = false

  constructor(process: ProcessScripts, id: number, data: ScriptData, post: (report: MemberReport) => void) {
    super(process.streams, id)
    this.canSuspend = data.start.text?.wrapper !== undefined
    this.#process = process
    this.#name = data.name
    this.#maxRunMs = data.maxRunMs
    this.#post = post
    this.listen()
    this.start(serializeValue(data.start), data.heartbeat)
  }

  handle(command: Exclude<MemberCommand, { type: 'start' }>): void {
    if (command.type === 'terminate') {
      this.#post({ type: 'terminating' })
      return this.#end()
    }
    const message = command.message as FrontendCommand
    if (message.type === 'link') return this.link(message)
    if (message.type === 'stop') {
      this.#isStopping = true
      this.after(message.timeout, () => this.#awaitStop())
    }
    if (message.type === 'ask') this.#ask()
    if (message.type === 'read') this.#unread[message.stream]--
    this.send(message)
  }

  createTime(): (turn: number) => number | undefined {
    return this.#process.control.createTime()
  }

  /** Whether code that drains still sends something is for the host to say, which asks it. */
  #awaitStop(): void {
    const end = (): void => void (this.lifecycle === 'draining' || this.#end())
    this.#process.control.turned(end)
    this.#afterBlock(end)
  }

  /** A process that runs, but not the script, answers for it: the host takes it for one that waits. */
  #ask(): void {
    const asked = ++this.#asked
    this.#process.control.turned(() => this.#answered < asked && this.#answer())
  }

  #answer(queued?: number): void {
    this.#answered++
    this.reportAnswer(queued)
  }

  /** A script can run for its time without a pause, one after the other. */
  #afterBlock(run: () => void): void {
    const ms = this.#maxRunMs + ANSWER_TIMEOUT_MS
    this.afterSilence(ms, run, () => this.#process.beats)
    // Whatever it sends meanwhile: a process that floods its relay, and answers nothing, would never end.
    this.afterSilence(ms * this.#process.size, run)
  }

  protected override take(frame: ReceivedFrame): void {
    this.#process.beats++
    const report = this.parse(frame)
    if (report === 'nothing' || report?.type === 'terminating') return
    if (!report || report.type === 'linked' || this.#hasExited) this.#violate('an invalid report')
    else if (report.type === 'exited') void this.#exit(report.code)
    else if (report.type === 'message') this.#takeMessage(report.message)
    else this.#post(report)
  }

  #takeMessage(message: FrontendReport): void {
    if (message.type === 'output' && ++this.#unread[message.stream] > MAX_UNREAD_TEXTS)
      return this.#violate('more output than it keeps')
    // The relay can have answered for it before.
    if (message.type === 'answer') return void (this.#answered < this.#asked && this.#answer(message.queued))
    const hasFailed = message.type === 'state' && message.state === 'failed'
    if (hasFailed) this.afterSilence(KILL_TIMEOUT_MS, () => this.#end())
    // Code that computes, and does not read the order, ends by its limit.
    if (hasFailed && this.#isStopping && message.error?.limit?.limit === 'time')
      return this.pass({ type: 'state', state: 'stopped', isUnanswered: this.lifecycle !== 'draining' })
    this.pass(message)
  }

  protected override report(message: FrontendReport): void {
    this.#post({ type: 'message', message })
  }

  #violate(what: string): void {
    this.kill(new BusError('InvalidRequest', `The process of ${this.#name} sent ${what}`))
  }

  protected override kill(fault: BusError): void {
    this.#process.control.kill(fault)
  }

  protected override controlClosed(fault: BusError | undefined): void {
    if (fault) this.kill(fault)
    // A process whose pipe has closed, too, exits, and its relay says why.
    if (!this.#hasExited && this.#process.isOpen) this.#violate('no end of a script')
  }

  /** Ends a script that does not end by itself, and the process with it if it runs on. The host gets all output. */
  #end(): void {
    this.abandon()
    if (this.isEnding || this.#hasExited) return
    this.isEnding = true
    this.write({ type: 'terminate' })
    this.#process.awaitEnds()
    const kill = (): void => void (this.#hasExited || this.kill(this.createLateError()))
    // It reports its exit behind all that it has sent: this waits until nothing more comes.
    this.#process.control.turned(() => {
      if (!this.#hasExited) this.afterSilence(KILL_TIMEOUT_MS, kill, () => this.#process.beats)
    })
    this.#afterBlock(kill)
  }

  createLateError(): BusError {
    return new BusError('Timeout', `${this.#name} did not end, and its process was terminated`)
  }

  async #exit(code: number): Promise<void> {
    this.#hasExited = true
    const isCutOff = (await this.getForwarded()) === false
    this.close()
    this.flush()
    this.reportEnd(this.isEnding && this.lifecycle !== 'stopped' && this.lifecycle !== 'failed', isCutOff)
    this.#post({ type: 'exited', code })
  }

  /** The process has exited. Resolves once core has all of its frames, or is no longer waited for. */
  forwarded(): Promise<unknown> {
    return this.isEnding && !this.#hasExited ? this.#exit(1) : this.getForwarded()
  }
}
