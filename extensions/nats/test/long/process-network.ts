// A bus over NATS whose instances and joined processes are separate processes, for one test.
import { createBusSecret } from '@sallyport/nats'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { checkCalls, type Report } from './check-calls.js'
import { startProcess, type Process } from './processes.js'

export type Pattern = 'brownfield' | 'isolation'

export const BUS = 'shop'
/** Finds stopped peers soon. */
export const SHORT_HEARTBEAT_MS = 200
/** Does not mistake peers for lost that are slow on a busy machine. */
export const LONG_HEARTBEAT_MS = 20_000
/** Limit for what can take long on a busy machine. */
export const TIMEOUT_MS = 60_000

export interface ProcessNetwork {
  readonly secret: string
  startCore(instance: string, network?: object): Promise<Process>
  /** @param options - options of `joinBus` as `join`, or `credentials` */
  startJoined(options?: { join?: object | undefined; credentials?: readonly string[] }): Promise<Process>
  /** Stops loads, given by process and name or as a final report, and checks the outcomes of all calls. */
  settle(...loads: readonly (readonly [Process, string] | Report)[]): Promise<Report[]>
}

/** @param nats - options of each process's connection */
export async function useProcesses(
  nats: object,
  pattern: Pattern = 'brownfield',
  heartbeat = 1000,
): Promise<ProcessNetwork> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-calls-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const [bus, secret] = [BUS, createBusSecret()]
  let cores = 0

  async function readExecutions(): Promise<Map<string, string[]>> {
    const executions = new Map<string, string[]>()
    for (const name of await readdir(directory)) {
      executions.set(name, (await readFile(join(directory, name), 'utf8')).split('\n').filter(Boolean))
    }
    return executions
  }

  return {
    secret,
    startCore: (instance, network) =>
      startProcess('core', {
        pattern,
        instance,
        executions: join(directory, `${instance}.${++cores}`),
        network: { nats, bus, secret, instance, heartbeat, ...network },
      }),
    startJoined: ({ join: options, credentials } = {}) =>
      startProcess('joined', { pattern, secret, credentials, join: { nats, bus, heartbeat, ...options } }),
    async settle(...loads) {
      const reports = await Promise.all(
        loads.map(async load => (isReport(load) ? load : load[0].call<Report>('settle', load[1]))),
      )
      checkCalls(reports, await readExecutions())
      return reports
    },
  }
}

const isReport = (load: readonly [Process, string] | Report): load is Report => !Array.isArray(load)

/** Waits until more calls of this load are answered. */
export async function waitForAnswers(process: Process, name: string, more = 20): Promise<void> {
  const before = await process.call<number>('answered', name)
  await expect
    .poll(() => process.call<number>('answered', name), { timeout: TIMEOUT_MS })
    .toBeGreaterThan(before + more)
}

/** Waits until this number of instances answer calls of this load. */
export async function waitForInstances(process: Process, name: string, instances = 2): Promise<void> {
  const getCounts = async (): Promise<Record<string, number>> => (await process.call<Report>('report', name)).instances
  const before = await getCounts()
  const getActive = async (): Promise<string[]> =>
    Object.entries(await getCounts())
      .filter(([instance, count]) => count > (before[instance] ?? 0))
      .map(([instance]) => instance)
  try {
    await expect.poll(getActive, { timeout: TIMEOUT_MS }).toHaveLength(instances)
  } catch (error) {
    const { pending, failures } = await process.call<Report>('report', name)
    const load = JSON.stringify({ pending, failures, faults: await process.call('faults') })
    throw new Error(`${load}\n${process.output()}`, { cause: error })
  }
}

/** Counts failures from now on. Returns a function that waits until this number of calls of the load have failed. */
export async function trackFailures(process: Process, name: string): Promise<(count?: number) => Promise<void>> {
  const countFailures = async (): Promise<number> => {
    const { undelivered, unknown } = await process.call<Report>('report', name)
    return undelivered.length + unknown.length
  }
  const before = await countFailures()
  return (count = 1) => expect.poll(countFailures, { timeout: TIMEOUT_MS }).toBeGreaterThanOrEqual(before + count)
}

/** Closes processes in order. Each must exit by itself and without output. */
export async function closeProcesses(...processes: readonly Process[]): Promise<void> {
  for (const process of processes) {
    expect(await process.close(), process.output()).toBe(0)
    expect(process.output()).toBe('')
  }
}
