// A process that answers calls until it ends.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connectRaw, overIpc, type CallPeer } from '../loops/raw-calls.js'
import { withDeadline } from '../shared/deadline.js'

export interface ForkOptions {
  args?: readonly string[]
  /** Deadline of each call. */
  timeoutMs: number
}

export interface ForkedPeer {
  /** Rejects with its exit code if the process exits. */
  call: CallPeer
  /** Resolves when the process has exited. */
  end(): Promise<void>
}

const EXIT_TIMEOUT_MS = 2000

/** Starts a process, which has to exit with its channel. Its standard output is ignored. */
export function forkPeer(entry: URL, { args = [], timeoutMs }: ForkOptions): ForkedPeer {
  const child = fork(entry, args, {
    ...{ execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const exited = once(child, 'exit').then(
    ([code, signal]: (number | string | null)[]) =>
      new Error(`The process of the arm exited ${signal === null ? `with code ${code}` : `by ${signal}`}`),
    // A process that cannot start does not emit `exit`.
    (error: Error) => new Error(`The process of the arm could not start: ${error.message}`),
  )
  const failed = exited.then((error): never => {
    throw error
  })
  failed.catch(() => {})
  const call = connectRaw(overIpc(child))
  return {
    call: (name, args) => withDeadline(call(name, args), timeoutMs, failed),
    async end() {
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_TIMEOUT_MS)
      await exited
      clearTimeout(timer)
    },
  }
}
