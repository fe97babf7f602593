// Processes of the benchmark. Rounds are measured in several of them, because two processes with the same code differ in memory layout
// and compilation.
import type { Measurement, Task } from '../scenarios/scenario.js'
import { forkPeer } from './fork-peer.js'
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
