// The entry of a relay: it starts a frontend's process, joins its pipes to the links of core and the gate, tells the host of
// its life as a frontend worker would of its own, and ends it where it must. It ends when the process has.
import type { Duplex } from 'node:stream'
import { parentPort, workerData } from 'node:worker_threads'
import {
  BusError,
  createHeartbeatFor,
  createStreamLink,
  FRAME_KIND,
  type FrontendCommand,
  type FrontendProcessCommand,
  isBusError,
  type LinkEndpoint,
  openLink,
  reportError,
  type StateReport,
} from '@sallyport/protocol'
import { bridge } from './network/bridge.js'
import { startChild } from './relay/child.js'
import { createJudge, LOOK_EVERY_MS, readUsage } from './relay/limits.js'
import { createReports, isPong, MAX_REPORT_BYTES, type RelayData } from './relay/messages.js'

/** How long a process may go on that should have drained, in milliseconds. */
const GRACE_MS = 250

/** How long a process may take to end once a link of it has closed. */
const ON_ITS_WAY_MS = 1000

const { args, temporary, start, isolated, heartbeat, limits } = workerData as RelayData
const host = parentPort!
const child = startChild(args, temporary, isolated)
let stopping = false
let joined: Promise<unknown> | undefined
let hurry!: () => void
/** From then on nobody waits for what it has sent. */
const late = new Promise<void>(resolve => (hurry = resolve))
/** Why the process was killed. */
let reason: BusError | undefined

function kill(why?: BusError): void {
  reason ??= why
  child.kill()
}

/** A link has closed. For what is no frame, or no report, at once; else an honest process is on its way out. */
function soon(fault: BusError | undefined): void {
  if (isBusError(fault, 'InvalidRequest')) kill(fault)
  else setTimeout(kill, ON_ITS_WAY_MS)
}

const tell = (report: StateReport): void => host.postMessage(report)

const control = createStreamLink(child.control, MAX_REPORT_BYTES)
control.send({ kind: FRAME_KIND.bytes, body: start })
const read = createReports()
const pulse = heartbeat && createHeartbeatFor(heartbeat)
control.receive({
  frame(frame) {
    // Its states too show that it is not stuck; with the first it begins to be judged.
    pulse?.()
    if (isPong(frame)) return
    const report = read(frame)
    if (report) tell(report)
    else kill(new BusError('InvalidRequest', 'A frontend’s process has sent what is no report'))
  },
  // Without it nobody could stop that process, unless it is ending.
  closed: soon,
})

const order = (command: FrontendProcessCommand): void =>
  control.send({ kind: FRAME_KIND.json, body: JSON.stringify(command) })

host.on('message', (command: FrontendCommand & { timeout?: number }) => {
  order({ type: command.type })
  if (command.type === 'link') return join(command)
  stopping = true
  setTimeout(() => {
    kill()
    hurry()
  }, command.timeout! + GRACE_MS)
})

/** Once: pipes can't be joined to other links. A frontend whose link has ended is started again as a whole. */
function join({ link, gate }: { link: LinkEndpoint; gate?: LinkEndpoint }): void {
  const one = async (near: LinkEndpoint, far: Duplex): Promise<void> =>
    soon((await bridge(openLink(near, true), createStreamLink(far))).far)
  joined = Promise.all([one(link, child.core), gate && child.gate && one(gate, child.gate)])
}

if (heartbeat) setInterval(() => order({ type: 'ping' }), heartbeat.every).unref()

if (limits.memory !== undefined || limits.cpu !== undefined) {
  const judge = createJudge(limits)
  setInterval(() => {
    const usage = child.pid === undefined ? undefined : readUsage(child.pid)
    const why = usage && judge(usage, performance.now())
    if (why !== undefined) kill(new BusError('InternalError', `A frontend’s process ${why}`))
  }, LOOK_EVERY_MS).unref()
}

try {
  const { code, signal } = await child.ended
  if (signal && !stopping) reason ??= new BusError('InternalError', `A frontend’s process was ended by ${signal}`)
  await Promise.race([joined, late])
  if (reason) tellFailed(reason)
  await child.alone
  setImmediate(() => process.exit(reason ? 1 : (code ?? 0)))
} catch (error) {
  tellFailed(error)
  setImmediate(() => process.exit(1))
}

function tellFailed(error: unknown): void {
  tell({ type: 'state', state: 'failed', error: reportError(error) })
}
