// Processes of the benchmark. Rounds are measured in several of them, because two processes with the same code differ in memory layout
// and compilation.
import { createBirpc } from 'birpc'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Measurement, Task } from '../model/scenario.js'
import type { Launched } from './run.js'

/** The requests that `process.ts` answers. */
export interface ProcessHost {
  /** @returns a handle of the opened arm */
  open(scenario: string, arm: string): Promise<number>
  /** @param payload - its id, because the process reads the payload itself */
  measure(handle: number, task: Task, payload: string): Promise<Measurement>
  close(handle: number): Promise<void>
  /** Returns the CPU time of the process in ms. The first answer says that it has loaded all scenarios. */
  readCpu(): Promise<number>
}

/** Deadlines of arms are shorter, and their errors say more. */
const REQUEST_TIMEOUT_MS = 300_000

const EXIT_TIMEOUT_MS = 2000

const ENTRY: URL = new URL(import.meta.resolve('#dist/process'))

/**
 * Starts a process for the arms of one scenario.
 *
 * @param payload - the file with the user's payloads
 * @throws Error if it exits before it is ready
 */
export async function launchFresh(payload: string | null = null): Promise<Launched> {
  const child = fork(ENTRY, payload === null ? [] : [payload], {
    ...{ execArgv: [], serialization: 'advanced', env: { ...process.env, NODE_ENV: 'production' } },
  })
  const rpc = createBirpc<ProcessHost>(
    {},
    {
      // The exit of the process rejects the request, so that an error of the channel is ignored.
      post: data => void child.send(data as object, () => {}),
      on: receive => void child.on('message', receive),
      timeout: REQUEST_TIMEOUT_MS,
    },
  )
  let exitError: Error | undefined
  const exited = once(child, 'exit').then(
    ([code, signal]: (number | string | null)[]) =>
      new Error(`The process of the arm exited ${signal === null ? `with code ${code}` : `by ${signal}`}`),
    // A process that cannot start does not emit `exit`.
    (error: Error) => new Error(`The process of the arm could not start: ${error.message}`),
  )
  void exited.then(error => rpc.$close((exitError = error)))
  const end = async (): Promise<void> => {
    if (child.connected) child.disconnect()
    const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_TIMEOUT_MS)
    await exited
    clearTimeout(timer)
  }
  try {
    await rpc.readCpu()
  } catch (error) {
    await end()
    throw error
  }
  return {
    open: async (scenario, arm) => {
      const handle = await rpc.open(scenario.id, arm.id)
      return {
        measure: async (task, payload) => {
          if (exitError) throw exitError
          return rpc.measure(handle, task, payload.id)
        },
        close: () => rpc.close(handle),
      }
    },
    readCpu: () => rpc.readCpu(),
    end,
  }
}
