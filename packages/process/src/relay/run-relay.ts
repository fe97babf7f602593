// One relay, the parent of a frontend's process:
//
// 1. it waits for the threads that own the other ends of its sockets, unless it forwards frames itself
// 2. it starts the process, watches its limits, and passes on commands of the host and checked reports of the process
// 3. it kills a process that breaks the protocol, is silent, or exceeds a limit or its time to stop
// 4. after the exit it judges why (`judgeProcess`), tells the host, and exits
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  ABANDON_TIMEOUT_MS,
  countTurns,
  type FrontendCommand,
  type FrontendReport,
  Output,
  type MemberConnection,
  type MemberPort,
  PROCESS_STREAMS,
  SCRIPT_PROCESS,
  serializeValue,
  silence,
  SILENT_MS,
} from '@sallyport/protocol/internal/contract'
import { BusError, describeThrown, isBusError } from '@sallyport/protocol/internal/errors'
import { acceptDirect, getSocketInode } from '@sallyport/protocol/internal/link'
import { assertNever, createDeferred, Throttle } from '@sallyport/protocol/internal/util'
import { MAX_LAST_OUTPUT, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import { createProcessTime, explainRefusedMemory, readMainThreadsCpu } from '../child/limits.js'
import { removeCgroups } from '../launchers/cgroup.js'
import type { BrokerDenial, BrokerOptions } from '../network/broker.js'
import type { RelayData, RelayStart } from './relay-data.js'
import { judgeProcess } from './judge-process.js'
import {
  explainPipeFault,
  explainStartError,
  type NodeProcess,
  type ProcessStatus,
  startProcess,
} from './node-process.js'
import { KILL_TIMEOUT_MS, RelayedCode } from './relayed-code.js'
import { askEvery, ProcessScripts } from './process-scripts.js'

/** Time for a process to exit after it has closed a pipe that it cannot live without, or has said that it failed. */
const EXIT_TIMEOUT_MS = 1000
/** For a process that cannot run, such as a stopped one, once it is asked to stop: a limit of the docs. */
const STOPPED_TIMEOUT_MS = 60_000
/** How often it gets its time again, while it prints. */
const MAX_EXTENSIONS = 10

/** Of the event loop of a process, in which a script that takes an order, or ends, says so. */
const TURNS = 4

/** Reports of hosts that are denied; the rest are counted. */
const DENIALS_PER_SECOND = 10

export const throttleDenials = (report: (message: FrontendReport) => void): Throttle<BrokerDenial> =>
  new Throttle((denial, more) => report({ type: 'net-denied', ...denial, more }), DENIALS_PER_SECOND)

type RelayCommand = FrontendCommand | RelayStart | MemberPort

export async function runRelay(host: MemberConnection, data: RelayData): Promise<void> {
  let code: number
  try {
    code = await runConnected(host, data)
  } finally {
    await removeCgroups(data.launch.cgroups)
  }
  host.exit(code)
}

async function runConnected(host: MemberConnection, data: RelayData): Promise<number> {
  const { sockets: ports } = data
  if (!ports) return new ProcessRelay(host, data).run([])
  const early: RelayCommand[] = []
  /** The exit code, if the host does not want the process any more. */
  const ended = createDeferred<number>()
  const end = (code: number): void => {
    for (const port of ports) port.close()
    ended.resolve(code)
  }
  host.onMessage(message => {
    const command = message as RelayCommand
    if (command.type === 'stop') end(0)
    else early.push(command)
  })
  host.onTerminate(() => end(1))
  try {
    const sockets = await acceptDirect(ports, data.temporary)
    const code = await Promise.race([ended.promise, Promise.resolve()])
    // All commands so far are handled within this tick.
    if (code === undefined) return await new ProcessRelay(host, data, sockets).run(early)
    for (const socket of sockets) socket.destroy()
    return code
  } catch (error) {
    if (!isBusError(error, 'Disconnected')) throw explainStartError(error, data.temporary)
    // The owner of a socket has stopped, so the host ends this process, and starts another one with it.
    return await ended.promise
  } finally {
    // The owners of its sockets read the rest of what the process has sent, and wait for nobody else that holds its ends.
    for (const port of ports) port.close()
  }
}

/** The relay of one process: it starts it, serves it, stops it, and judges its end. */
class ProcessRelay extends RelayedCode {
  readonly #host: MemberConnection
  readonly #data: RelayData
  readonly #output: Output
  readonly #process: NodeProcess
  /** Its ends of those that the process can have inherited, until it says whether it has. */
  readonly #sockets: readonly Socket[]
  readonly #scripts: ProcessScripts | undefined
  readonly #denied = throttleDenials(report => this.report(report))
  readonly #questions: ((queued?: number) => void)[] = []
  #name: string
  #answers = 0
  #isStopping = false
  #killReason: BusError | undefined
  #hasExited = false
  #hasEnded = false

  /** @param sockets - those for its frames, unless the relay forwards them */
  constructor(host: MemberConnection, data: RelayData, sockets: readonly Socket[] = []) {
    const output = new Output(text => host.postMessage(text), MAX_LAST_OUTPUT)
    // The pipe closes in a later turn.
    const process: NodeProcess = startProcess(data, output, sockets, fault =>
      this.#closed('output', fault && explainPipeFault(fault)),
    )
    super(process.streams, 0)
    this.#host = host
    this.#data = data
    this.#output = output
    this.#process = process
    this.#sockets = sockets
    const hasScripts = 'hasScripts' in data.start && data.start.hasScripts === true
    this.#name = hasScripts ? SCRIPT_PROCESS : 'A spare process'
    if (hasScripts) this.#scripts = new ProcessScripts(process.streams, this)
    this.listen()
    host.onMessage(message => this.#hasEnded || this.#handle(message as RelayCommand))
    host.onTerminate(() => {
      this.#isStopping = true
      output.end()
      this.#killAndAbandon()
    })
    this.#watch()
  }

  /** Returns the exit code. @param early - commands of the host that are handled first */
  async run(early: readonly RelayCommand[]): Promise<number> {
    const { start } = this.#data
    if ('type' in start) this.#begin(start)
    else this.start(serializeValue(start), undefined)
    for (const command of early) this.#handle(command)
    try {
      const status = await this.#process.exited
      this.#exited()
      return await this.#judge(status)
    } catch (error) {
      this.reportFailure(error)
      return 1
    } finally {
      this.#hasEnded = true
      this.close()
      this.#scripts?.close()
      this.#process.streams.close()
      this.#closeSockets()
      await this.#process.released
    }
  }

  #begin({ start, heartbeat, network, name, canSuspend }: RelayStart): void {
    this.canSuspend = canSuspend === true
    this.#name = name
    if (network) this.#openBroker(this.#process.streams.open(PROCESS_STREAMS.network), network)
    // CPU time of a spare is not that of its frontend.
    this.#watch()
    this.start(start, heartbeat)
    if (heartbeat) this.untilClosed(askEvery(heartbeat.every, this, ms => this.addHeld(ms)))
  }

  createTime(): (turn: number) => number | undefined {
    return createProcessTime(() => (this.#data.isElsewhere ? undefined : this.#process.child.pid))
  }

  #watch(): void {
    const { limits, usage, isElsewhere } = this.#data
    if (isElsewhere) return
    this.#process.child.watch(limits, ({ memory, cpu }) => new Float64Array(usage).set([memory, cpu]))
  }

  /** Loads the broker, which most relays don't need. Requests wait in the stream meanwhile. */
  #openBroker(requests: Duplex, options: BrokerOptions): void {
    import('../network/serve-broker.js').then(
      ({ serveBroker }) => {
        if (!this.#hasEnded) this.untilClosed(serveBroker(requests, options, denial => this.#denied.add(denial)))
      },
      (error: unknown) => this.kill(new BusError('InternalError', `The broker failed: ${describeThrown(error)}`)),
    )
  }

  #handle(command: RelayCommand): void {
    switch (command.type) {
      case 'members':
        return this.#scripts?.connect(command.port)
      case 'start':
        return this.#begin(command)
      case 'link':
        return this.link(command, this.#sockets.map(getInode))
      case 'ask': {
        const unanswered = new BusError('Timeout', `${this.#name} did not answer for ${ABANDON_TIMEOUT_MS} ms`)
        // Code that has taken over its runtime might never answer. If it has a heartbeat, that finds it.
        const kill = (): void => this.kill(unanswered)
        const answered = this.hasHeartbeat ? () => {} : this.afterSilence(ABANDON_TIMEOUT_MS, kill)
        return this.ask(queued => {
          answered()
          this.reportAnswer(queued)
        })
      }
      case 'read':
        return this.#output.read(command.stream)
      case 'stop':
        return this.#stop(command.timeout)
      default:
        return assertNever(command)
    }
  }

  /** A process that has not inherited the sockets has a stream in their place. */
  #connectSockets(isDirect: boolean): void {
    if (isDirect) return this.#closeSockets()
    const [to, from = to] = this.#sockets as [Socket, Socket?]
    this.pipe(to, from)
  }

  #closeSockets(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Asks the process whether its event loop turns. */
  ask(onAnswer: (queued?: number) => void = () => {}): void {
    if (this.#hasExited) return this.#isStopping ? onAnswer() : undefined
    this.#questions.push(onAnswer)
    this.send({ type: 'ask' })
  }

  /** The host asks whether anything still comes. Core can take what the relay has of it. */
  #exited(): void {
    this.#hasExited = true
    if (this.#isStopping) for (const answer of this.#questions.splice(0)) answer()
  }

  /** Calls `onTurned` once the event loop of the process has turned so often that each of its scripts has read what it was sent before. */
  turned(onTurned: () => void, left = TURNS): void {
    this.ask(() => (left > 1 ? this.turned(onTurned, left - 1) : onTurned()))
  }

  protected override take(frame: ReceivedFrame): void {
    this.#scripts?.beat()
    const report = this.parse(frame)
    if (report === 'nothing') return
    if (report?.type === 'linked' && this.#sockets.length > 0) return this.#connectSockets(report.isDirect)
    const message = report?.type === 'message' ? report.message : undefined
    // Code that has its process alone prints to standard output, and not by reports.
    if (!message || message.type === 'output') {
      this.kill(new BusError('InvalidRequest', `${this.#name} sent an invalid report`))
      // A flood of them would delay its end.
      return this.closeControl()
    }
    if (message.type === 'answer') {
      this.#answers++
      return this.#questions.shift()?.(message.queued)
    }
    if (message.type !== 'state') return this.pass(message)
    if (message.state === 'failed') {
      this.#output.end()
      this.#awaitExit('said that it failed')
    }
    const { isElsewhere, limits } = this.#data
    const maxMemory = isElsewhere ? undefined : limits.memory
    const error = message.error && explainRefusedMemory(this.#name, message.error, maxMemory)
    this.pass(error ? { ...message, error } : message)
  }

  protected override report(message: FrontendReport): void {
    this.#host.postMessage(message)
  }

  /** Without its reports the process could not be stopped any more. */
  protected override controlClosed(fault: BusError | undefined): void {
    this.#closed('reports', fault)
  }

  /** Kills the process immediately after a violation of the protocol; otherwise gives it time to exit, and to say why by that. */
  #closed(what: 'output' | 'reports', fault: BusError | undefined): void {
    this.#scripts?.pipeClosed()
    if (fault) return this.kill(fault)
    // It might wait for the host to read.
    this.#output.end()
    this.#awaitExit(`closed its ${what}`)
  }

  #stop(timeout: number): void {
    this.send({ type: 'stop', timeout })
    this.#isStopping = true
    this.#output.end()
    if (timeout > 0) this.after(timeout, () => this.#awaitStop())
    else this.#awaitStop()
  }

  /** Whether code that drains still sends something is for the host to say, which asks it. */
  #awaitStop(): void {
    const end = (): void => this.#killAndAbandon()
    const hasStopped = (): boolean => this.lifecycle === 'stopped'
    const mustAnswer = (): boolean => !hasStopped() && (this.lifecycle !== 'draining' || this.#questions.length > 0)
    const watch = (ms: number, read: (turn: number) => number | undefined, counts: () => boolean, over = end): void => {
      const readMs = (turn: number): number | undefined => (counts() ? read(turn) : undefined)
      this.untilClosed(silence(ms, { readMs, readSign: () => this.#answers }, over))
    }
    this.#endOnceQuiet(end, over => watch(SILENT_MS, () => this.#readCpuMs(), mustAnswer, over))
    this.#endOnceQuiet(end, over => watch(KILL_TIMEOUT_MS, this.createTime(), mustAnswer, over))
    // To exit, it waits for its other threads.
    this.#endOnceQuiet(end, over => watch(EXIT_TIMEOUT_MS, this.createTime(), hasStopped, over))
    // The code can have stopped its own process by SIGSTOP.
    watch(STOPPED_TIMEOUT_MS, countTurns(), () => hasStopped() || mustAnswer())
  }

  /** Only Linux knows. A process that was asked to stop answers with its next state. */
  #readCpuMs(): number | undefined {
    const { pid } = this.#process.child
    const isKnown = this.lifecycle === 'ready' && !this.#data.isElsewhere
    return isKnown && pid !== undefined ? readMainThreadsCpu(pid) : undefined
  }

  /** @param cause - a clause: why it is expected to exit */
  #awaitExit(cause: string): void {
    const text = `${this.#name} ${cause} and did not exit within ${EXIT_TIMEOUT_MS} ms`
    const end = (): void => this.kill(new BusError('Timeout', text))
    this.#endOnceQuiet(end, over => this.afterSilence(EXIT_TIMEOUT_MS, over))
  }

  /**
   * Ends the process once it has printed nothing for its time, or has had that ten times more.
   *
   * @param wait - calls its argument once the time is over
   */
  #endOnceQuiet(end: () => void, wait: (over: () => void) => void, left = MAX_EXTENSIONS): void {
    const printed = this.#process.countPrinted()
    const over = (): void => {
      if (left === 0 || this.#process.countPrinted() === printed) end()
      else this.#endOnceQuiet(end, wait, left - 1)
    }
    wait(over)
  }

  kill(reason?: BusError): void {
    this.#killReason ??= reason
    this.#process.child.kill()
  }

  #killAndAbandon(): void {
    this.kill()
    this.abandon()
    this.closeFrames()
  }

  async #judge(status: ProcessStatus): Promise<number> {
    const isStopping = this.#isStopping
    const isCutOff = (await this.getForwarded(this.#scripts?.forwarded())) === false
    const { lifecycle } = this
    const { launch, launcher, limits, isElsewhere } = this.#data
    const { error: fault, wasStopped } = judgeProcess({
      status,
      isStopping,
      lifecycle,
      name: this.#name,
      isSpare: !('type' in this.#data.start),
      killedFor: this.#killReason,
      maxMemory: limits.memory,
      isElsewhere,
      launcher: launcher === undefined ? undefined : { name: launcher, command: launch.command },
    })
    const wasDone = lifecycle === 'stopped' || (!status.wasKilled && status.code === 0)
    this.flush()
    this.#denied.flush()
    const error = this.reportEnd(wasStopped && !this.#scripts, isCutOff && wasDone, fault)
    // Its scripts fail with it.
    if (this.#scripts && (!error || lifecycle === 'failed')) this.reportFailure(createExitError(status.code))
    this.#output.flush()
    return error ? 1 : (status.code ?? 0)
  }
}

const createExitError = (code: number | null): BusError =>
  new BusError('Crashed', `${SCRIPT_PROCESS} exited${code === null ? '' : ` with code ${code}`}`)

/** A runtime other than Node.js does not tell the descriptor: then frames pass the relay. */
const getInode = (socket: Socket): number =>
  getSocketInode((socket as unknown as { _handle?: { fd: number } })._handle?.fd ?? -1)
