// The entry of a frontend in a process of its own, which core's relay starts: what a worker has as ports are pipes here.
// Nothing of Node's own channel between processes is there.
import { Socket } from 'node:net'
import { deserialize } from 'node:v8'
import {
  createStreamLink,
  FRAME_KIND,
  type FrontendProcessCommand,
  type FrontendProcessStart,
  type FrontendReport,
  type Link,
  type Pong,
  PROCESS_PIPES,
  reportError,
} from '@sallyport/protocol'
import { startFrontend } from './runtime/start-frontend.js'

const openPipe = (fd: number): Link => createStreamLink(new Socket({ fd }))

// Taken before the frontend's code is there, which may put something else in its place. No handler runs.
const { reallyExit } = process as unknown as { reallyExit(code: number): never }
const control = openPipe(PROCESS_PIPES.control)
const tell = (report: FrontendReport | Pong): void =>
  control.send({ kind: FRAME_KIND.json, body: JSON.stringify(report) })

let hear: ((command: FrontendProcessCommand) => void) | undefined

control.receive({
  frame({ kind, body }) {
    if (kind === FRAME_KIND.json) return hear?.(JSON.parse(Buffer.from(body).toString()) as FrontendProcessCommand)
    const { isolated, ...start } = deserialize(body) as FrontendProcessStart
    startFrontend(start, {
      tell,
      hear: take =>
        (hear = command => {
          if (command.type === 'ping') return tell({ type: 'pong' })
          if (command.type === 'stop') return take(command)
          const gate = isolated ? openPipe(PROCESS_PIPES.gate) : undefined
          take({ type: 'link', core: openPipe(PROCESS_PIPES.core), gate })
        }),
    })
  },
  // The relay has gone, and with it all that this process is for.
  closed: () => reallyExit.call(process, 1),
})

// Where the module has no handler of its own, this process ends now, and says what of. Closing sends it at once.
process.on('uncaughtExceptionMonitor', error => {
  if (process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()) return
  tell({ type: 'state', state: 'failed', error: reportError(error) })
  control.close()
})
