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
  createHeartbeatFor,
  deadline,
  every,
  type FrontendCommand,
  type FrontendProcessCommand,
  type FrontendReport,
  type LifecycleState,
  Output,
  type MemberConnection,
  type MemberPort,
  watchSilence,
} from '@sallyport/protocol/internal/contract'
import {
  BusError,
  createUnsentError,
  describeThrown,
  isBusError,
  reportError,
} from '@sallyport/protocol/internal/errors'
import { acceptDirect, bridge, StreamLink, type LinkEndpoint, openLink } from '@sallyport/protocol/internal/link'
import { assertNever, createDeferred, Throttle } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, type Link, MAX_LAST_OUTPUT, MAX_REPORT_BYTES } from '@sallyport/protocol/internal/wire'
import { explainRefusedMemory, readMainThreadsCpu } from '../child/limits.js'
import { removeCgroups } from '../launchers/cgroup.js'
import type { BrokerDenial, BrokerOptions } from '../network/broker.js'
import type { RelayData, RelayStart } from './relay-data.js'
import { explainStartError, judgeProcess, startProcess } from './node-process.js'
import { createReportParser } from './report-parser.js'
import { ProcessScripts } from './relay-scripts.js'

/** Time for a process to exit after its time to drain, if it answers or does not run. */
const KILL_TIMEOUT_MS = 250
/** Time for a process to exit after it has closed a pipe that it cannot live without, or has said that it failed. */
const EXIT_TIMEOUT_MS = 1000

/** Reports of hosts that are denied; the rest are counted. */
const DENIALS_PER_SECOND = 10

export const throttleDenials = (report: (message: FrontendReport) => void): Throttle<BrokerDenial> =>
  new Throttle((denial, more) => report({ type: 'net-denied', ...denial, more }), DENIALS_PER_SECOND)

type RelayCommand = FrontendCommand | RelayStart | ({ type?: never } & MemberPort)

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
  if (!ports) return runProcess(host, data, [])
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
    if (code === undefined) return await runProcess(host, data, early, sockets)
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

/**
 * Starts the process. Returns the exit code.
 *
 * @param early - commands of the host that are handled first
 * @param sockets - those for its frames, unless the relay forwards them
 */
async function runProcess(
  host: MemberConnection,
  data: RelayData,
  early: readonly RelayCommand[],
  sockets: readonly Socket[] = [],
): Promise<number> {
  const { start: first, limits, usage } = data
  const hasScripts = 'hasScripts' in first && first.hasScripts === true
  let name = hasScripts ? 'The process of the script' : 'A spare process'
  const output = new Output(text => report(text), MAX_LAST_OUTPUT)
  const started = startProcess(data, output, sockets)
  const { child, link: pipe } = started
  const ends = new Set<() => void>()
  let lifecycle: LifecycleState | undefined
  /** It has been started before it was known for what. */
  const isSpare = !('type' in first)
  let isStopping = false
  let link: Link | undefined
  let bridged: Promise<void> | undefined
  /** Resolves with false when core is no longer waited for, which reads the last frames that the relay forwards. */
  const abandoned = createDeferred<boolean>()
  let killReason: BusError | undefined

  function kill(reason?: BusError): void {
    killReason ??= reason
    child.kill()
  }

  const awaitExit = (): void => void ends.add(deadline(EXIT_TIMEOUT_MS, () => kill()))

  /** Kills the process immediately after a protocol violation; otherwise gives it time to exit, and to say why by that. */
  function onPipeClosed(fault: BusError | undefined): void {
    if (fault) return kill(fault)
    // It might wait for the host to read.
    output.end()
    awaitExit()
  }

  const report = (message: FrontendReport): void => host.postMessage(message)
  const reportFailure = (error: unknown): void => report({ type: 'state', state: 'failed', error: reportError(error) })

  // A process can send any number of these reports.
  const unsent = new Throttle<undefined>((_, more) => report({ type: 'unsent', count: more + 1 }), 1)

  const denied = throttleDenials(report)
  let hasEnded = false

  const control = new StreamLink(started.control, MAX_REPORT_BYTES)
  const parseReport = createReportParser()
  let beat: (() => void) | undefined
  control.receive({
    isShared: true,
    frame(frame) {
      // Any frame shows that the process is not stuck. Monitoring starts with the first one.
      beat?.()
      scripts?.beat()
      const message = parseReport(frame)
      if (message === 'part') return
      if (message?.type === 'answer') return questions.shift()?.()
      if (message?.type === 'unsent') unsent.add(undefined, message.count)
      else if (message?.type === 'state') {
        lifecycle = message.state
        if (lifecycle === 'failed') {
          output.end()
          awaitExit()
        }
        report(
          message.error ? { ...message, error: explainRefusedMemory(name, message.error, limits.memory) } : message,
        )
      } else if (message) report(message)
      else {
        kill(new BusError('InvalidRequest', `${name} sent an invalid report`))
        // A flood of them would delay its end.
        control.close()
      }
    },
    // Without the control pipe the process could not be stopped any more.
    closed: onPipeClosed,
  })

  const sendCommand = (command: FrontendProcessCommand): void =>
    control.send({ kind: FRAME_KIND.json, body: JSON.stringify(command) })

  const questions: (() => void)[] = []

  function ask(onAnswer = (): void => {}): void {
    questions.push(onAnswer)
    sendCommand({ type: 'ask' })
  }

  const scripts = hasScripts ? new ProcessScripts(pipe!, { kill, ask, closed: onPipeClosed }) : undefined

  function killAndAbandon(): void {
    // It has not said that all has left.
    kill(lifecycle === 'draining' ? createUnsentError('unknown') : undefined)
    abandoned.resolve(false)
    // A process has exited only once its pipes are read to their ends, and core might not read what is left.
    pipe?.destroy()
  }

  /** Only Linux knows. A process that was asked to stop answers with its next state. */
  const readCpuMs = (): number | undefined =>
    lifecycle === 'ready' && child.pid !== undefined ? readMainThreadsCpu(child.pid) : undefined

  function handle(command: RelayCommand): void {
    switch (command.type) {
      case undefined:
        return scripts?.connect(command.port)
      case 'start':
        return begin(command)
      case 'link':
        sendCommand({ type: 'link', scripts: command.scripts, isSplit: sockets.length > 1 })
        return connect(command.link)
      case 'ask': {
        const unanswered = new BusError('Timeout', `${name} did not answer for ${ABANDON_TIMEOUT_MS} ms`)
        // It might have taken over its runtime.
        const end = deadline(ABANDON_TIMEOUT_MS, () => kill(unanswered))
        ends.add(end)
        return ask(() => {
          end()
          ends.delete(end)
          report({ type: 'answer' })
        })
      }
      case 'read':
        return output.read(command.stream)
      case 'stop':
        sendCommand({ type: 'stop' })
        isStopping = true
        output.end()
        ends.add(watchSilence(command.timeout, readCpuMs, killAndAbandon))
        return void ends.add(deadline(command.timeout + KILL_TIMEOUT_MS, killAndAbandon))
      default:
        return assertNever(command)
    }
  }
  host.onMessage(message => hasEnded || handle(message as RelayCommand))
  host.onTerminate(() => {
    isStopping = true
    output.end()
    killAndAbandon()
  })

  /** Called once: a pipe cannot be connected to another link. Whoever closes the link, the process goes on until the host restarts it. */
  function connect(endpoint: LinkEndpoint): void {
    if (!pipe) return
    link = openLink(endpoint, true)
    bridged = bridge(link, new StreamLink(pipe)).then(({ far }) => {
      if (far) kill(far)
    })
  }

  const watch = (): void => child.watch(limits, ({ memory, cpu }) => new Float64Array(usage).set([memory, cpu]))
  watch()

  /** Loads the broker, which most relays don't need. Requests wait in the pipe meanwhile. */
  function openBroker(requests: Duplex, options: BrokerOptions): void {
    import('../network/serve-broker.js').then(
      ({ serveBroker }) => {
        if (!hasEnded) ends.add(serveBroker(requests, options, denial => denied.add(denial)))
      },
      (error: unknown) => kill(new BusError('InternalError', describeThrown(error))),
    )
  }

  function begin({ start, heartbeat, network, ...named }: RelayStart): void {
    name = named.name
    if (network && started.network) openBroker(started.network, network)
    // CPU time of a spare is not that of its frontend.
    watch()
    control.send({ kind: FRAME_KIND.bytes, body: start })
    if (!heartbeat) return
    beat = createHeartbeatFor(heartbeat)
    ends.add(every(heartbeat.every, () => ask()))
  }

  if ('type' in first) begin(first)
  else sendCommand({ type: 'prepare', ...first })
  early.forEach(handle)

  try {
    const status = await started.exited
    const atExit = { status, isStopping }
    const isCutOff = (await Promise.race([scripts?.forwarded() ?? bridged, abandoned.promise])) === false
    const evidence = { ...atExit, name, lifecycle, isSpare, killedFor: killReason, maxMemory: limits.memory }
    const { error: fault, wasStopped } = judgeProcess(evidence)
    // It has exited in time, but core has not taken all.
    const wasDone = lifecycle === 'stopped' || (!status.wasKilled && status.code === 0)
    const error = fault ?? (isCutOff && wasDone ? createUnsentError('unknown') : undefined)
    unsent.flush()
    denied.flush()
    if (error && lifecycle !== 'failed') reportFailure(error)
    // Its scripts fail with it.
    else if (scripts) reportFailure(createExitError(status.code))
    // Otherwise the host takes its end for one that it has chosen itself.
    else if (wasStopped) report({ type: 'state', state: 'stopped' })
    output.flush()
    return error ? 1 : (status.code ?? 0)
  } catch (error) {
    reportFailure(error)
    return 1
  } finally {
    for (const end of ends) end()
    hasEnded = true
    scripts?.close()
    control.close()
    link?.close()
    await started.guardExited
  }
}

const createExitError = (code: number | null): BusError =>
  new BusError('Crashed', `The process of the script exited${code === null ? '' : ` with code ${code}`}`)
