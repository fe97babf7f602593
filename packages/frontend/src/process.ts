// The entry of a frontend in its own process, which core's relay starts. It uses pipes in place of a worker's ports.
import {
  deserializeValue,
  type FrontendPreparation,
  type FrontendProcessCommand,
  type FrontendReport,
  type FrontendStart,
  PROCESS_PIPES,
} from '@sallyport/protocol/internal/contract'
import { reportError } from '@sallyport/protocol/internal/errors'
import { SocketLink, SplitLink, StreamLink } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, getText, type Link } from '@sallyport/protocol/internal/wire'
import { Socket } from 'node:net'
import * as index from './index.js'
import { enterSandboxOnce } from './runtime/enter-sandbox.js'
import { installInFrontend, installTauri } from './runtime/install-tauri.js'
import { sendReport, serveScripts } from './runtime/script-group.js'
import { startFrontend } from './runtime/start-frontend.js'
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

const openSocket = (fd: number): Link => new SocketLink(options => new Socket({ fd, ...options }))

function openLink(isSplit: boolean): Link {
  const link = openSocket(PROCESS_PIPES.link)
  return isSplit ? new SplitLink(link, openSocket(PROCESS_PIPES.fromCore)) : link
}

// Saved before the frontend's code, which could replace it, is loaded. Runs no exit handlers.
const { exit, reallyExit } = process as unknown as { exit(code: number): never; reallyExit(code: number): never }
// A launcher can set variables, such as PWD.
for (const name of Object.keys(process.env)) if (name !== 'TZ') delete process.env[name]

/** A spare does what it can before it is taken. Its start has the errors. */
function prepare(preparation: FrontendPreparation): void {
  const entered = enterSandboxOnce(preparation)
  if (preparation.hasScripts) serveScripts(new Socket({ fd: PROCESS_PIPES.link }))
  else void entered.then(() => warmUp(() => isStarted)).catch(() => {})
  entered.catch(() => {})
}

const pipe = new Socket({ fd: PROCESS_PIPES.control })
const control = new StreamLink(pipe)
const report = (message: FrontendReport): void => sendReport(control, message)
// By its name, which the condition of this process leads to the exports of this program, as a module's namespace.
// oxlint-disable-next-line no-restricted-imports
const loadFunctions = () => import('@sallyport/frontend')

let isStarted = false
let handleCommand: ((command: FrontendProcessCommand) => void) | undefined

control.receive({
  frame({ kind, body }) {
    if (kind === FRAME_KIND.json) {
      const command = JSON.parse(getText(body)) as FrontendProcessCommand
      if (command.type === 'prepare') return prepare(command)
      if (command.type === 'ask') return report({ type: 'answer' })
      return handleCommand?.(command)
    }
    isStarted = true
    startFrontend(deserializeValue(body as Uint8Array) as FrontendStart, {
      report,
      pipe,
      onCommand(handle) {
        handleCommand = command => {
          if (command.type === 'stop') return handle(command)
          if (command.type === 'link') handle({ ...command, link: openLink(command.isSplit) })
        }
      },
      loadFunctions,
    })
  },
  // The relay has exited, and this process must not outlive it.
  closed: () => reallyExit.call(process, 1),
})

// An uncaught exception ends this process unless the module has a handler of its own. Closing the link sends the report at once. The host
// logs the error, so Node must not print it too: it prints no error that has a handler.
process.on('uncaughtExceptionMonitor', error => {
  if (process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()) return
  report({ type: 'state', state: 'failed', error: reportError(error) })
  control.close()
  process.once('uncaughtException', () => exit.call(process, 1))
})
