// The entry of a process, which core's relay starts: of one frontend, or of many scripts. Its standard input and output take the place of a worker's
// ports. Sockets to core and the gate are a short cut for frames, if it has inherited them.
import {
  deserializeValue,
  type FrontendPreparation,
  type FrontendReport,
  type FrontendStart,
  getMemberStreams,
  PROCESS_GREETING,
  PROCESS_SOCKETS,
  PROCESS_STREAMS,
  type ProcessMessage,
} from '@sallyport/protocol/internal/contract'
import { reportError } from '@sallyport/protocol/internal/errors'
import { getSocketInode, SocketLink, SplitLink, StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText, type Link } from '@sallyport/protocol/internal/wire'
import { Socket } from 'node:net'
import * as index from './index.js'
import { enterSandboxOnce } from './runtime/enter-sandbox.js'
import { closeDescriptors, emitUncaughtErrors, IS_DENO } from './runtime/deno.js'
import { installInFrontend, installTauri } from './runtime/install-tauri.js'
import { setBroker } from './runtime/network/broker-sockets.js'
import { openScript, sendMemberReport } from './runtime/script-group.js'
import { exitOnceWritten, startFrontend } from './runtime/start-frontend.js'
import { warmUp } from './runtime/warm-up.js'

/**
 * The exports of each entry of package.json, so that what the frontend imports is not loaded a second time, and each class exists once. The condition
 * `sallyport-process` leads to files that read them here.
 */
const entries: Readonly<Record<string, () => object>> = {
  '.': () => index,
  './tauri'() {
    installInFrontend()
    return { installTauri }
  },
}
const getExports = (entry: string): object | undefined => entries[entry]?.()
Object.defineProperty(globalThis, Symbol.for('@sallyport/frontend:exports'), { value: getExports })

// Saved before the frontend's code, which could replace it, is loaded. Runs no exit handlers.
const { exit, reallyExit } = process as unknown as { exit(code: number): never; reallyExit(code: number): never }
// A launcher can set variables, such as PWD.
for (const name of Object.keys(process.env)) if (name !== 'TZ') delete process.env[name]

// Taken before code of the frontend can open something else at these descriptors.
const inodes = PROCESS_SOCKETS.map(getSocketInode)

function openStandard(fd: 0 | 1): Socket {
  try {
    return new Socket({ fd, readable: fd === 0, writable: fd === 1 })
  } catch {
    const name = fd === 0 ? 'input' : 'output'
    process.stderr.write(
      `Sallyport: the standard ${name} of this process is no pipe. Its launcher has to pass it on (docker run needs -i)\n`,
    )
    return reallyExit.call(process, 1)
  }
}

let hasScripts = false
const [input, output] = [openStandard(0), openStandard(1)]
output.write(PROCESS_GREETING)
const streams: StreamMultiplexer = new StreamMultiplexer(input, output, {
  opened: id => hasScripts && openScript(streams, id),
  // The relay has exited, and this process must not outlive it.
  closed: () => reallyExit.call(process, 1),
})
const own = getMemberStreams(0)
const [reports, frames] = [streams.open(own.control), streams.open(own.link)]
const control = new StreamLink(reports)
const network = streams.open(PROCESS_STREAMS.network)
setBroker(() => network)

// Standard output is the pipe itself. What the code prints is written at once: it might end the process, or never return. So a print that has been
// written is done at once, too: a stream calls back in a later tick, and until then the next prints would wait in memory.
const printed = streams.open(PROCESS_STREAMS.stdout)
Object.assign(process.stdout, {
  _write(chunk: Uint8Array, encoding: BufferEncoding, done: () => void) {
    let isDone = false
    const finish = (): void => {
      if (!isDone) done()
      isDone = true
    }
    // Whoever exits once it is called back has lost nothing: the pipe has it.
    printed.write(chunk, encoding, () => void (output.writableLength > 0 ? output.write('', finish) : finish()))
    streams.flush()
    if (printed.writableLength === 0 && output.writableLength === 0) finish()
  },
  _writev: undefined,
  _final: (done: () => void) => done(),
})

const report = (message: FrontendReport): void => sendMemberReport(control, { type: 'message', message })

/** Frames pass the relay unless this process has the sockets. */
function openLink(sockets: readonly number[]): Link {
  const isDirect = sockets.length > 0 && sockets.every((inode, index) => inode > 0 && inode === inodes[index])
  if (sockets.length > 0) control.send({ kind: FRAME_KIND.json, body: JSON.stringify({ type: 'linked', isDirect }) })
  if (!isDirect) return new StreamLink(frames)
  frames.destroy()
  const [link, fromCore] = sockets.map(
    (_, index) => new SocketLink(options => new Socket({ fd: PROCESS_SOCKETS[index]!, ...options })),
  )
  return fromCore ? new SplitLink(link!, fromCore) : link!
}

/** A spare does what it can before it is taken. Its start has the errors. */
function prepare(preparation: FrontendPreparation): void {
  hasScripts = preparation.hasScripts === true
  const entered = enterSandboxOnce(preparation)
  if (!hasScripts) void entered.then(() => warmUp(() => isStarted)).catch(() => {})
  entered.catch(() => {})
}

// By its name, which the condition of this process leads to the exports of this program, as a module's namespace.
// oxlint-disable-next-line no-restricted-imports
const loadFunctions = () => import('@sallyport/frontend')

let isStarted = false
let isExiting = false
/** Without a frontend of its own, the process only says that its event loop turns. */
let handleMessage = ({ type }: ProcessMessage): void => {
  if (type === 'ask') report({ type: 'answer' })
}

function start(data: FrontendStart): void {
  isStarted = true
  startFrontend(data, {
    report,
    pipes: [reports, output],
    onCommand(handle) {
      handleMessage = message => {
        if (message.type !== 'link') return handle(message)
        const link = openLink(message.sockets)
        if (IS_DENO) closeDescriptors()
        handle({ ...message, link })
      }
    },
    loadFunctions,
  })
}

control.receive({
  frame({ kind, body }) {
    if (kind === FRAME_KIND.json)
      return handleMessage((JSON.parse(getText(body)) as { message: ProcessMessage }).message)
    const data = deserializeValue(body as Uint8Array) as FrontendPreparation | FrontendStart
    if ('label' in data) start(data)
    else prepare(data)
  },
  // This end closes it, too, and then writes what is left.
  closed: () => void (isExiting || reallyExit.call(process, 1)),
})

// An uncaught exception ends this process unless the module has a handler of its own. Closing the link sends the report at once. The host
// logs the error, so Node must not print it too: it prints no error that has a handler.
const ownListeners = IS_DENO ? emitUncaughtErrors(exitOnceReported) : 0
process.on('uncaughtExceptionMonitor', error => {
  if (process.listenerCount('uncaughtException') > ownListeners || process.hasUncaughtExceptionCaptureCallback()) return
  report({ type: 'state', state: 'failed', error: reportError(error) })
  isExiting = true
  control.close()
  process.once('uncaughtException', exitOnceReported)
})

/** The pipe can be full of what was printed before, behind which the report waits. The relay kills a process that has failed and does not exit. */
function exitOnceReported(): void {
  streams.flush()
  void exitOnceWritten(1, [reports, output], code => exit.call(process, code))
}
