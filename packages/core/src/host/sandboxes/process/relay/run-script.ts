// One script of a process that has many: connects its link, its reports and its output to the host, as the relay of a process does.
import {
  ANSWER_TIMEOUT_MS,
  deadline,
  type FrontendCommand,
  type FrontendReport,
  type MemberConnection,
  MAX_OUTPUT_TEXT,
  type OutputReport,
  type ScriptCommand,
  serializeValue,
} from '@sallyport/protocol/internal/contract'
import { BusError, isBusError, reportError } from '@sallyport/protocol/internal/errors'
import { bridge, openLink, StreamLink } from '@sallyport/protocol/internal/link'
import { assertNever, createDeferred, Throttle } from '@sallyport/protocol/internal/util'
import {
  FRAME_KIND,
  getText,
  type Link,
  MAX_LAST_OUTPUT,
  MAX_REPORT_BYTES,
  MAX_WAITING_OUTPUT,
} from '@sallyport/protocol/internal/wire'
import type { ScriptRelayData } from './relay-data.js'
import { createReportParser } from './report-parser.js'
import { ScriptHost } from './script-host.js'

/** For a script to end by itself, beyond its time to drain, or after it has said that it failed. */
const KILL_TIMEOUT_MS = 250

/** What a script has that ends. Texts are joined up to half of the maximum length. */
const MAX_UNREAD_TEXTS = (2 * (MAX_LAST_OUTPUT + MAX_WAITING_OUTPUT)) / MAX_OUTPUT_TEXT

export async function runScript(host: MemberConnection, data: ScriptRelayData): Promise<void> {
  const { start, heartbeat, name } = data
  const process = ScriptHost.get(data.scriptHost)
  const unsent = new Throttle<undefined>((_, more) => report({ type: 'unsent', count: more + 1 }), 1)
  const parseReport = createReportParser()
  const exited = createDeferred()
  /** Resolves when core is no longer waited for, which reads the last frames. */
  const abandoned = createDeferred()
  const ends: (() => void)[] = []
  /** Texts that the host has not taken. A script waits for it until it ends. */
  const unread = { stdout: 0, stderr: 0 }
  let link: Link | undefined
  let bridged: Promise<unknown> | undefined
  let failure: Error | undefined
  let hasFailed = false
  let hasStopped = false
  let isEnding = false

  const report = (message: FrontendReport): void => {
    if (message.type === 'state') {
      hasFailed = message.state === 'failed'
      hasStopped = hasFailed || message.state === 'stopped'
    }
    host.postMessage(message)
  }
  const violate = (what: string): void =>
    process.relay.kill(new BusError('InvalidRequest', `The process of ${name} sent ${what}`))
  /** Ends the process if a stream has closed because of a violation: a process that is killed, and a script that is ended, end within a frame. */
  const killAfter = (fault: BusError | undefined): void => {
    if (isBusError(fault, 'InvalidRequest')) process.relay.kill(fault)
  }

  const streams = process.open(heartbeat, error => {
    failure ??= error
    exited.resolve()
  })
  const control = new StreamLink(streams.control, MAX_REPORT_BYTES)
  const sendCommand = (command: ScriptCommand): void =>
    control.send({ kind: FRAME_KIND.json, body: JSON.stringify(command) })

  /** Returns the output that a frame has. */
  function parseOutput(frame: string): OutputReport | undefined {
    try {
      const { type, stream, text, lost } = Object(JSON.parse(frame)) as Record<string, unknown>
      const isStream = stream === 'stdout' || stream === 'stderr'
      const isText = typeof text === 'string' && text.length <= MAX_OUTPUT_TEXT
      return type === 'output' && isStream && isText && Number.isSafeInteger(lost)
        ? { type, stream, text, lost: lost as number }
        : undefined
    } catch {
      return undefined
    }
  }

  function print(output: OutputReport): void {
    if (++unread[output.stream] > MAX_UNREAD_TEXTS) return violate('more output than it keeps')
    report(output)
  }

  control.receive({
    frame(frame) {
      streams.beat()
      const { kind, body } = frame
      const printed = kind === FRAME_KIND.json ? parseOutput(getText(body)) : undefined
      if (printed) return print(printed)
      const message = parseReport(frame)
      if (message === 'part') return
      if (message?.type === 'unsent') unsent.add(undefined, message.count)
      else if (message) report(message)
      if (message?.type === 'state' && message.state === 'failed') ends.push(deadline(KILL_TIMEOUT_MS, end))
      if (!message) violate('an invalid report')
    },
    closed(fault) {
      killAfter(fault)
      if (hasStopped || isEnding) return exited.resolve()
      // A process whose pipe has closed, too, exits, and its relay says why.
      if (process.isOpen) violate('no end of a script')
    },
  })

  /** Ends a script that does not end by itself, and the process with it if its event loop stays blocked. The host gets all output. */
  function end(): void {
    abandoned.resolve()
    if (isEnding) return
    isEnding = true
    sendCommand({ type: 'terminate' })
    // A script can run for this long without a pause.
    const timeout = data.maxRunMs + ANSWER_TIMEOUT_MS
    process.relay.ask(timeout, new BusError('Timeout', `${name} did not end, and its process was terminated`))
    ends.push(deadline(timeout, () => control.close()))
  }

  host.onMessage(message => {
    const command = message as FrontendCommand
    switch (command.type) {
      case 'link': {
        link = openLink(command.link, true)
        sendCommand({ type: 'link', scripts: command.scripts })
        bridged = bridge(link, new StreamLink(streams.openLink())).then(({ far }) => killAfter(far))
        return
      }
      case 'read':
        unread[command.stream]--
        return sendCommand(command)
      case 'ask':
        return sendCommand(command)
      case 'stop':
        sendCommand({ type: 'stop', timeout: command.timeout })
        return void ends.push(deadline(command.timeout + KILL_TIMEOUT_MS, end))
      default:
        return assertNever(command)
    }
  })
  host.onTerminate(end)
  control.send({ kind: FRAME_KIND.bytes, body: serializeValue(start) })

  await exited.promise
  await Promise.race([bridged, abandoned.promise])
  link?.close()
  unsent.flush()
  for (const endWait of ends) endWait()
  streams.close()
  streams.control.destroy()
  if (failure && !hasStopped) report({ type: 'state', state: 'failed', error: reportError(failure) })
  // The host takes the end of a script that it has asked to end, and that does not say so itself, for its own.
  else if (isEnding && !hasStopped) report({ type: 'state', state: 'stopped' })
  host.exit(hasFailed || !hasStopped ? 1 : 0)
}
