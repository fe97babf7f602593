// The scripts of one process. Each has two streams of the process's pipe: one for its host, and one for its frames.
import type { Duplex } from 'node:stream'
import {
  deserializeValue,
  type FrontendStart,
  getScriptStreams,
  type FrontendReport,
  type ScriptCommand,
} from '@sallyport/protocol/internal/contract'
import { reportError } from '@sallyport/protocol/internal/errors'
import { StreamLink, StreamMultiplexer } from '@sallyport/protocol/internal/link'
import { assertNever } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, getText } from '@sallyport/protocol/internal/wire'
import { sendReport } from './process-report.js'
import { joinGroup } from './script-group.js'
import type { HostCommand, HostConnection } from './start-frontend.js'

/** @param pipe - leads to the relay, which starts the scripts */
export function serveScripts(pipe: Duplex, loadFunctions: HostConnection['loadFunctions']): void {
  let last = 0
  const streams = new StreamMultiplexer(pipe, {
    opened(id) {
      const script = Math.floor(id / 2)
      // The relay might not know yet that a script has ended.
      if (script <= last || id !== getScriptStreams(script).control) return
      last = script
      startScript(streams, script, loadFunctions)
    },
    // The relay has exited, and with it the other pipe, which ends the process.
    closed() {},
  })
}

function startScript(streams: StreamMultiplexer, script: number, loadFunctions: HostConnection['loadFunctions']): void {
  const ids = getScriptStreams(script)
  const control = new StreamLink(streams.open(ids.control))
  // Its first frame can arrive before the command is read.
  const frames = streams.open(ids.link)
  let isLinked = false
  let isTerminated = false
  let hasExited = false
  let handleMessage = (_command: HostCommand): void => {}
  let terminate = (): void => {}
  const report = (message: FrontendReport): void => sendReport(control, message)

  function exit(): void {
    hasExited = true
    control.close()
    if (!isLinked) frames.destroy()
  }

  function begin(start: FrontendStart): void {
    joinGroup(
      {
        report,
        onCommand: handle => void (handleMessage = handle),
        onTerminate: handle => void (terminate = handle),
        setBusy() {},
        isTerminated: () => isTerminated,
        exit,
      },
      start,
      loadFunctions,
    )
  }

  control.receive({
    frame({ kind, body }) {
      if (kind !== FRAME_KIND.json) {
        try {
          return begin(deserializeValue(body as Uint8Array) as FrontendStart)
        } catch (error) {
          report({ type: 'state', state: 'failed', error: reportError(error) })
          return exit()
        }
      }
      const command = JSON.parse(getText(body)) as ScriptCommand
      switch (command.type) {
        case 'link':
          isLinked = true
          return handleMessage({ ...command, link: new StreamLink(frames) })
        case 'terminate':
          isTerminated = true
          return terminate()
        case 'stop':
          isTerminated = command.timeout === 0
          return handleMessage(command)
        case 'ask':
        case 'read':
          return handleMessage(command)
        default:
          return assertNever(command)
      }
    },
    closed() {
      if (hasExited) return
      isTerminated = true
      terminate()
    },
  })
}
