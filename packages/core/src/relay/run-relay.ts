// One relay: starts a frontend's process, bridges its pipe to the frontend's link, reports its lifecycle to the host as a frontend
// worker would, and kills it when necessary. Exits after the process.
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import {
  bridge,
  BusError,
  createDeferred,
  createHeartbeatFor,
  StreamLink,
  FRAME_KIND,
  type FrontendCommand,
  type FrontendProcessCommand,
  type FrontendReport,
  isBusError,
  type Link,
  type LinkEndpoint,
  openLink,
  type OutputStream,
  reportError,
  MAX_REPORT_BYTES,
  type TenantConnection,
} from '@sallyport/protocol/internal'
import type { RelayData } from '../contract/host-relay.js'
import { type Child, removeCgroups, startChild } from './child.js'
import { describeReached, type ExceededLimit, watchLimits } from './limits.js'
import { createReportParser, isPong } from './report-parser.js'

/** Time for a process to exit after its time to drain. */
const KILL_TIMEOUT_MS = 250
/** Time for a process to exit after one of its pipes has closed. */
const EXIT_TIMEOUT_MS = 1000

export async function runRelay(host: TenantConnection, data: RelayData): Promise<void> {
  const { name, launch, hasWall, temporary, start, heartbeat, limits } = data
  const createOutput = (stream: OutputStream): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => host.write(stream, chunk, done) })
  const output = { stdout: createOutput('stdout'), stderr: createOutput('stderr') }
  let child: Child
  try {
    child = startChild(launch, hasWall, temporary, output)
  } catch (error) {
    await removeCgroups(launch.cgroups)
    throw error
  }
  const timers = new Set<NodeJS.Timeout>()
  let isStopping = false
  let link: Link | undefined
  let bridged: Promise<unknown> | undefined
  /** Resolves when the last messages of the process are no longer waited for. */
  const abandoned = createDeferred()
  let killReason: BusError | undefined

  function kill(reason?: BusError): void {
    killReason ??= reason
    child.kill()
  }

  /** Kills the process immediately after a protocol violation; otherwise gives it time to exit by itself. */
  function onPipeClosed(fault: BusError | undefined): void {
    if (isBusError(fault, 'InvalidRequest')) kill(fault)
    else timers.add(setTimeout(kill, EXIT_TIMEOUT_MS))
  }

  const report = (message: FrontendReport): void => host.postMessage(message)
  const reportFailure = (error: unknown): void => report({ type: 'state', state: 'failed', error: reportError(error) })

  const control = new StreamLink(child.control, MAX_REPORT_BYTES)
  control.send({ kind: FRAME_KIND.bytes, body: start })
  const parseReport = createReportParser()
  const beat = heartbeat && createHeartbeatFor(heartbeat)
  control.receive({
    frame(frame) {
      // Any frame shows that the process is not stuck. Monitoring starts with the first one.
      beat?.()
      if (isPong(frame)) return
      const message = parseReport(frame)
      if (message) report(message)
      else kill(new BusError('InvalidRequest', 'The frontend process sent an invalid report'))
    },
    // Without the control pipe the process could not be stopped any more.
    closed: onPipeClosed,
  })

  const sendCommand = (command: FrontendProcessCommand): void =>
    control.send({ kind: FRAME_KIND.json, body: JSON.stringify(command) })

  function killAndAbandon(): void {
    kill()
    abandoned.resolve()
  }

  host.onMessage(message => {
    const command = message as FrontendCommand & { timeout?: number }
    if (command.type === 'link') {
      sendCommand({ type: 'link', scripts: command.scripts })
      return connect(command.link)
    }
    sendCommand({ type: 'stop' })
    isStopping = true
    timers.add(setTimeout(killAndAbandon, command.timeout! + KILL_TIMEOUT_MS))
  })
  host.onTerminate(() => {
    isStopping = true
    killAndAbandon()
  })

  /** Called once: a pipe cannot be connected to another link. If core closes the link, the process goes on until the host restarts it. */
  function connect(endpoint: LinkEndpoint): void {
    link = openLink(endpoint, true)
    bridged = bridge(link, new StreamLink(child.link)).then(({ first, far }) => {
      if (first === 'far' || far) onPipeClosed(far)
    })
  }

  if (heartbeat) timers.add(setInterval(() => sendCommand({ type: 'ping' }), heartbeat.every))

  const stopWatching =
    child.pid === undefined
      ? undefined
      : watchLimits(child.pid, limits, launch, exceeded => kill(createLimitError(exceeded)))

  try {
    const { code, signal, ranOutOfMemory } = await child.exited
    const reached = describeReached(launch)
    if (reached) killReason ??= createLimitError(reached)
    if ((signal || ranOutOfMemory) && !isStopping) {
      const text = ranOutOfMemory ? `${name} ran out of memory` : `The frontend process was terminated by ${signal}`
      killReason ??= new BusError('InternalError', text)
    }
    await Promise.race([bridged, abandoned.promise])
    if (killReason) reportFailure(killReason)
    await Promise.all([child.guardExited, removeCgroups(launch.cgroups)])
    await Promise.all(Object.values(output).map(stream => finished(stream.end())))
    host.exit(killReason ? 1 : (code ?? 0))
  } catch (error) {
    reportFailure(error)
    await removeCgroups(launch.cgroups)
    host.exit(1)
  } finally {
    for (const timer of timers) clearTimeout(timer)
    stopWatching?.()
    control.close()
    link?.close()
  }
}

const createLimitError = ({ text, limit, max }: ExceededLimit): BusError =>
  new BusError('InternalError', `The frontend process ${text}`, { data: { limit, max } })
