// Processes of the benchmark. Rounds are measured in several of them, because two processes with the same code differ in memory layout
// and compilation.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { connectRaw, overIpc } from '../loops/peers.js'
import type { Call } from '../model/payloads.js'
import type { Measurement, Task } from '../model/scenario.js'
import { workerUrl } from './machine.js'
import type { Launched } from './run.js'

/** The calls that `workers/process.ts` answers. */
export type ProcessHost = {
  /** @returns a handle of the opened arm */
  open(args: { scenario: string; arm: string }): Promise<number>
  /** @param args - `payload` is its id, because the process reads the payload itself */
  measure(args: { handle: number; task: Task; payload: string }): Promise<Measurement>
  measureFresh(job: FreshJob): Promise<Measurement>
  close(args: { handle: number }): Promise<void>
  /** Returns the CPU time of the process in ms. */
  readCpu(args: object): number
}

/** A kind of plugin, whose start or `whole` life is measured, or the lives of many. */
export type FreshJob = { plugin: string; whole?: boolean } | { plugin: string; many: number } | FewCallsJob

/** The host calls the plugin. */
export interface FewCallsJob {
  plugin: string
  greet: Call
  /** The number of calls with a pause before each. */
  count: number
}

/** Starts a process for the arms of one scenario. @param payload - the file with the user's payloads */
export function launchFresh(payload: string | null = null): Launched {
  const { call, end } = forkProcess(payload === null ? [] : [payload])
  return {
    open: async (scenario, arm) => {
      const handle = await call('open', { scenario: scenario.id, arm: arm.id })
      return {
        measure: (task, { id }) => call('measure', { handle, task, payload: id }),
        close: () => call('close', { handle }),
      }
    },
    readCpu: () => call('readCpu', {}),
    end,
  }
}

/** @throws Error if the measurement fails, or the process exits or takes too long */
export async function measureFresh(job: FreshJob, timeoutMs?: number): Promise<Measurement> {
  const { call, end } = forkProcess([], timeoutMs)
  try {
    return await call('measureFresh', job)
  } finally {
    await end()
  }
}

interface ForkedProcess {
  /** Rejects with its exit code if the process exits. */
  call<Name extends keyof ProcessHost>(
    name: Name,
    args: Parameters<ProcessHost[Name]>[0],
  ): Promise<Awaited<ReturnType<ProcessHost[Name]>>>
  /** Resolves when the process has exited. */
  end(): Promise<void>
}

/** Deadline of each call, which is far above the time of any measurement. */
const TIMEOUT_MS = 180_000
const EXIT_TIMEOUT_MS = 2000

function forkProcess(args: readonly string[], timeoutMs: number = TIMEOUT_MS): ForkedProcess {
  const child = fork(workerUrl('process'), args, {
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
  const send = connectRaw(overIpc(child))
  return {
    async call(name, request) {
      const timer = new AbortController()
      const late = delay(timeoutMs, undefined, { signal: timer.signal }).then((): never => {
        throw new Error(`No answer within ${timeoutMs} ms`)
      })
      try {
        return (await Promise.race([send(name, request), late, failed])) as never
      } finally {
        timer.abort()
      }
    },
    async end() {
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_TIMEOUT_MS)
      await exited
      clearTimeout(timer)
    },
  }
}
