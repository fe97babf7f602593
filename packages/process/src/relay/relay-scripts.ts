// The scripts of a process that has many: members of it, as others are members of a thread. Between the port of the host and the streams of the
// process's pipe, this checks what a script says, and ends one that does not end by itself.
import type { MessagePort } from 'node:worker_threads'
import type { Duplex } from 'node:stream'
import {
  ANSWER_TIMEOUT_MS,
  createHeartbeatFor,
  deadline,
  every,
  type FrontendCommand,
  type FrontendReport,
  getScriptStreams,
  type LifecycleState,
  MAX_OUTPUT_TEXT,
  type MemberCommand,
  type MemberMessages,
  MemberOutbox,
  type MemberReport,
  readMembers,
  serializeValue,
} from '@sallyport/protocol/internal/contract'
import { BusError, createUnsentError, describeThrown, reportError } from '@sallyport/protocol/internal/errors'
import { bridge, openLink, StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { createDeferred, Throttle } from '@sallyport/protocol/internal/util'
import {
  FRAME_KIND,
  type Link,
  MAX_LAST_OUTPUT,
  MAX_REPORT_BYTES,
  MAX_WAITING_OUTPUT,
} from '@sallyport/protocol/internal/wire'
import type { ScriptData } from './relay-data.js'
import { createMemberParser } from './report-parser.js'

/** For a script to end by itself, beyond its time to drain, or after it has said that it failed. */
const KILL_TIMEOUT_MS = 250
/** What a script has that ends. Texts are joined up to half of the maximum length. */
const MAX_UNREAD_TEXTS = (2 * (MAX_LAST_OUTPUT + MAX_WAITING_OUTPUT)) / MAX_OUTPUT_TEXT

export interface ProcessRelay {
  /** Ends the process, with the violation of the protocol if there was one. */
  kill(error?: BusError): void
  /** Its answer shows that the event loop of the process is not blocked. */
  ask(): void
  /** The pipe has closed, with the violation of the process, if there was one: the process exits, or is ended. */
  closed(fault?: BusError): void
}

interface Script {
  /** It is ended by force. */
  readonly isEnding: boolean
  /** The process has exited. Resolves once core has all of its frames, or is no longer waited for. */
  forwarded(): Promise<unknown>
  beat(): void
  handle(command: Exclude<MemberCommand, { type: 'start' }>): void
  close(): void
}

export class ProcessScripts {
  /** False once the pipe has closed: the relay of the process says why. */
  isOpen = true
  readonly streams: StreamMultiplexer
  readonly relay: ProcessRelay
  readonly #scripts = new Map<number, Script>()
  #lastScript = 0
  #port: MessagePort | undefined
  #outbox: MemberOutbox | undefined
  #questions: (() => void) | undefined
  #endWait: (() => void) | undefined

  constructor(pipe: Duplex, relay: ProcessRelay) {
    this.relay = relay
    this.streams = new StreamMultiplexer(pipe, {
      closed: fault => {
        this.isOpen = false
        relay.closed(fault)
      },
    })
  }

  /** @param port - has the messages of all scripts */
  connect(port: MessagePort): void {
    this.#port = port
    const failed = (_id: number, error: unknown): void =>
      this.relay.kill(new BusError('InternalError', describeThrown(error)))
    const outbox = (this.#outbox = new MemberOutbox(port, failed))
    port.on('message', (messages: MemberMessages<MemberCommand>) =>
      readMembers(messages, (id, command) => {
        if (command.type !== 'start') return this.#scripts.get(id)?.handle(command)
        const data = command.data as ScriptData
        if (data.heartbeat) this.#questions ??= every(data.heartbeat.every, () => this.relay.ask())
        const post = (report: MemberReport): void => {
          outbox.post(id, report)
          if (report.type === 'exited') this.#remove(id)
        }
        this.#scripts.set(id, relayScript(this, ++this.#lastScript, data, post))
      }),
    )
  }

  #remove(id: number): void {
    this.#scripts.delete(id)
    this.awaitEnds()
    if (this.#scripts.size > 0) return
    this.#questions?.()
    this.#questions = undefined
  }

  beat(): void {
    for (const { beat } of this.#scripts.values()) beat()
  }

  /** Kills the process if nothing but scripts that are ended by force is left, and none ends: each that computes would make the next one wait. */
  awaitEnds(): void {
    this.#endWait?.()
    this.#endWait = deadline(KILL_TIMEOUT_MS, () => {
      const scripts = [...this.#scripts.values()]
      if (scripts.length > 0 && scripts.every(({ isEnding }) => isEnding)) this.relay.kill()
    })
  }

  /** The process has exited. Resolves once core has what its scripts have sent. */
  async forwarded(): Promise<void> {
    await Promise.all(Array.from(this.#scripts.values(), script => script.forwarded()))
  }

  close(): void {
    this.#questions?.()
    this.#endWait?.()
    for (const { close } of this.#scripts.values()) close()
    this.#outbox?.flush()
    this.#port?.close()
  }
}

function relayScript(
  process: ProcessScripts,
  id: number,
  { name, start, heartbeat, maxRunMs }: ScriptData,
  post: (report: MemberReport) => void,
): Script {
  const { streams, relay } = process
  const ids = getScriptStreams(id)
  const stream = streams.open(ids.control)
  const control = new StreamLink(stream, MAX_REPORT_BYTES)
  const parse = createMemberParser()
  const beat = heartbeat ? createHeartbeatFor(heartbeat) : () => {}
  const unread = { stdout: 0, stderr: 0 }
  const unsent = new Throttle<undefined>((_, more) => report({ type: 'unsent', count: more + 1 }), 1)
  /** Resolves with false when core is no longer waited for, which reads the last frames. */
  const abandoned = createDeferred<boolean>()
  const ends: (() => void)[] = []
  let link: Link | undefined
  let bridged: Promise<void> | undefined
  let lifecycle: LifecycleState | undefined
  let isEnding = false
  let hasExited = false

  const getForwarded = (): Promise<unknown> => Promise.race([bridged, abandoned.promise])
  const send = (command: MemberCommand): void => control.send({ kind: FRAME_KIND.json, body: JSON.stringify(command) })
  const violate = (what: string): void =>
    relay.kill(new BusError('InvalidRequest', `The process of ${name} sent ${what}`))
  /** Ends the process if a stream has closed because of a violation: a process that is killed, and a script that is ended, end within a frame. */
  const killAfter = (fault: BusError | undefined): void => {
    if (fault) relay.kill(fault)
  }

  function report(message: FrontendReport): void {
    if (message.type === 'unsent') return unsent.add(undefined, message.count)
    if (message.type === 'output' && ++unread[message.stream] > MAX_UNREAD_TEXTS)
      return violate('more output than it keeps')
    if (message.type === 'state') lifecycle = message.state
    if (message.type === 'state' && message.state === 'failed') ends.push(deadline(KILL_TIMEOUT_MS, end))
    post({ type: 'message', message })
  }

  async function exit(code: number): Promise<void> {
    hasExited = true
    const isCutOff = (await getForwarded()) === false
    close()
    unsent.flush()
    const isSilent = isEnding && lifecycle !== 'stopped' && lifecycle !== 'failed'
    const postEnd = (state: 'failed' | 'stopped', error?: BusError): void =>
      post({ type: 'message', message: { type: 'state', state, error: error && reportError(error) } })
    // Something has not left it, or core has not taken it. Code that has failed has its own error.
    if (isSilent ? lifecycle === 'draining' : isCutOff && lifecycle !== 'failed')
      postEnd('failed', createUnsentError('unknown'))
    // The host takes the end of a script that it has asked to end, and that does not say so itself, for its own.
    else if (isSilent) postEnd('stopped')
    post({ type: 'exited', code })
  }

  function close(): void {
    link?.close()
    stream.destroy()
    for (const end of ends) end()
  }

  /** Ends a script that does not end by itself, and the process with it if it runs on. The host gets all output. */
  function end(): void {
    abandoned.resolve(false)
    if (isEnding || hasExited) return
    isEnding = true
    send({ type: 'terminate' })
    process.awaitEnds()
    const error = new BusError('Timeout', `${name} did not end, and its process was terminated`)
    // A script can run for this long without a pause.
    ends.push(deadline(maxRunMs + ANSWER_TIMEOUT_MS, () => relay.kill(error)))
  }

  control.receive({
    isShared: true,
    frame(frame) {
      beat()
      const parsed = parse(frame)
      if (parsed === 'part' || parsed?.type === 'terminating') return
      if (!parsed || hasExited) violate('an invalid report')
      else if (parsed.type === 'exited') void exit(parsed.code)
      else if (parsed.type === 'message') report(parsed.message as FrontendReport)
      else post(parsed)
    },
    closed(fault) {
      killAfter(fault)
      // A process whose pipe has closed, too, exits, and its relay says why.
      if (!hasExited && process.isOpen) violate('no end of a script')
    },
  })
  control.send({ kind: FRAME_KIND.bytes, body: serializeValue(start) })

  return {
    get isEnding() {
      return isEnding
    },
    forwarded: () => (isEnding && !hasExited ? exit(1) : getForwarded()),
    beat,
    handle(command) {
      if (command.type === 'terminate') {
        post({ type: 'terminating' })
        return end()
      }
      const message = command.message as FrontendCommand
      switch (message.type) {
        case 'link':
          link = openLink(message.link, true)
          send({ type: 'message', message: { type: 'link', scripts: message.scripts } })
          bridged = bridge(link, new StreamLink(streams.open(ids.link))).then(({ far }) => killAfter(far))
          return
        case 'stop':
          ends.push(deadline(message.timeout + KILL_TIMEOUT_MS, end))
          return send(command)
        case 'read':
          unread[message.stream]--
          return send(command)
        default:
          return send(command)
      }
    },
    close,
  }
}
