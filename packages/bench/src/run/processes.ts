// Processes of the benchmark. Rounds are measured in several of them, because two processes with the same code differ in memory layout
// and compilation.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { type CallPeer, connectRaw, overIpc } from '../loops/peers.js'
import type { Call } from '../model/payloads.js'
import type { Measurement, Task } from '../model/scenario.js'
import { workerUrl } from './machine.js'
import type { Launched } from './run.js'

/** The calls that `process.ts` answers. */
export type ProcessHost = {
  /** @returns a handle of the opened arm */
  open(args: { scenario: string; arm: string }): Promise<number>
  /** @param args - `payload` is its id, because the process reads the payload itself */
  measure(args: { handle: number; task: Task; payload: string }): Promise<Measurement>
  close(args: { handle: number }): Promise<void>
  /** Returns the CPU time of the process in ms. The first answer says that it has loaded all scenarios. */
  readCpu(args: object): number
}

/** Deadlines of arms are shorter, and their errors say more. */
const TIMEOUT_MS = 300_000

const ENTRY: URL = new URL(import.meta.resolve('#dist/process'))

/**
 * Starts a process for the arms of one scenario.
 *
 * @param payload - the file with the user's payloads
 * @throws Error if it exits before it is ready
 */
export async function launchFresh(payload: string | null = null): Promise<Launched> {
  const peer = forkPeer(ENTRY, { args: payload === null ? [] : [payload], timeoutMs: TIMEOUT_MS })
  type Result<Name extends keyof ProcessHost> = Promise<Awaited<ReturnType<ProcessHost[Name]>>>
  const call = <Name extends keyof ProcessHost>(name: Name, args: Parameters<ProcessHost[Name]>[0]): Result<Name> =>
    peer.call(name, args) as Result<Name>
  try {
    await call('readCpu', {})
  } catch (error) {
    await peer.end()
    throw error
  }
  return {
    open: async (scenario, arm) => {
      const handle = await call('open', { scenario: scenario.id, arm: arm.id })
      return {
        measure: (task, payload) => call('measure', { handle, task, payload: payload.id }),
        close: () => call('close', { handle }),
      }
    },
    readCpu: () => call('readCpu', {}),
    end: peer.end,
  }
}

interface ForkOptions {
  args?: readonly string[]
  /** Deadline of each call. */
  timeoutMs: number
}

interface ForkedPeer {
  /** Rejects with its exit code if the process exits. */
  call: CallPeer
  /** Resolves when the process has exited. */
  end(): Promise<void>
}

const EXIT_TIMEOUT_MS = 2000

function forkPeer(entry: URL, { args = [], timeoutMs }: ForkOptions): ForkedPeer {
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

export interface FewCallsJob {
  /** A kind of plugin, whose function the host calls. */
  plugin: string
  greet: Call
  /** The number of calls with a pause before each. */
  count: number
}

/** What the process measures. */
export type FreshJob = { fewCalls: FewCallsJob } | { plugin: string }

/** @throws Error if the measurement fails, or the process exits or takes too long */
export async function measureFresh(job: FreshJob, timeoutMs: number = 180_000): Promise<Measurement> {
  const { call, end } = forkPeer(workerUrl('fresh'), { timeoutMs })
  try {
    return (await call('measure', job)) as Measurement
  } finally {
    await end()
  }
}

/** @param failed - rejects when there will be no answer. @throws Error if `answer` takes longer than `ms`, or what `failed` rejects with */
export async function withDeadline<T>(answer: Promise<T>, ms: number, failed: Promise<never>): Promise<T> {
  const timer = new AbortController()
  const late = delay(ms, undefined, { signal: timer.signal }).then((): never => {
    throw new Error(`No answer within ${ms} ms`)
  })
  try {
    return await Promise.race([answer, late, failed])
  } finally {
    timer.abort()
  }
}
