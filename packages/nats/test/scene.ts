// A bus over NATS whose instances and joined processes are processes: for one test, and gone with it.
import { createBusSecret } from '@sallyport/nats'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { startProcess, type Process } from './processes.js'
import { checkCalls, type Report } from './tally.js'

export type Pattern = 'brownfield' | 'isolation'

/** Its name, in all subjects. */
export const BUS = 'shop'
/** Milliseconds between heartbeats: what stands still is found soon. */
export const SOON = 200
/** Likewise: what is only slow, on a machine with much to do, is not taken for lost. */
export const CALM = 5000

/** Milliseconds for what comes at last, on a machine with much to do. */
export const PATIENCE = 60_000

export interface Scene {
  readonly secret: string
  core(instance: string, network?: object): Promise<Process>
  /** @param given options of `joinBus`, or `credentials` */
  joined(options?: { join?: object | undefined; credentials?: readonly string[] }): Promise<Process>
  /** Ends their load, and checks what has become of all calls. */
  settle(...loads: readonly (readonly [Process, string] | Report)[]): Promise<Report[]>
}

/** @param nats options of the connection of each process */
export async function useScene(nats: object, pattern: Pattern = 'brownfield', heartbeat = 1000): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-calls-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [bus, secret] = [BUS, createBusSecret()]
  let cores = 0

  async function executions(): Promise<Map<string, string[]>> {
    const all = new Map<string, string[]>()
    for (const name of await readdir(folder)) {
      all.set(name, (await readFile(join(folder, name), 'utf8')).split('\n').filter(Boolean))
    }
    return all
  }

  return {
    secret,
    core: (instance, network) =>
      startProcess('core', {
        pattern,
        instance,
        executions: join(folder, `${instance}.${++cores}`),
        network: { nats, bus, secret, instance, heartbeat, ...network },
      }),
    joined: ({ join: options, credentials } = {}) =>
      startProcess('joined', { pattern, secret, credentials, join: { nats, bus, heartbeat, ...options } }),
    async settle(...loads) {
      const reports = await Promise.all(
        loads.map(async load => (isReport(load) ? load : load[0].ask<Report>('settle', load[1]))),
      )
      checkCalls(reports, await executions())
      return reports
    },
  }
}

/** Until so many more of these calls have been answered. */
export async function progress(process: Process, name: string, more = 20): Promise<void> {
  const begun = await process.ask<number>('answered', name)
  await expect.poll(() => process.ask<number>('answered', name), { timeout: PATIENCE }).toBeGreaterThan(begun + more)
}

const isReport = (load: readonly [Process, string] | Report): load is Report => !Array.isArray(load)

/** Until calls of this load were answered by so many instances, since the last time. */
export async function spread(process: Process, name: string, instances = 2): Promise<void> {
  const counts = async (): Promise<Record<string, number>> => (await process.ask<Report>('report', name)).instances
  const before = await counts()
  const rose = async (): Promise<string[]> =>
    Object.entries(await counts())
      .filter(([instance, count]) => count > (before[instance] ?? 0))
      .map(([instance]) => instance)
  await expect.poll(rose, { timeout: PATIENCE }).toHaveLength(instances)
}

/** Before a fault: gives what waits until so many more of these calls have failed. */
export async function failures(process: Process, name: string): Promise<(more?: number) => Promise<void>> {
  const count = async (): Promise<number> => {
    const { undelivered, unknown } = await process.ask<Report>('report', name)
    return undelivered.length + unknown.length
  }
  const before = await count()
  return (more = 1) => expect.poll(count, { timeout: PATIENCE }).toBeGreaterThanOrEqual(before + more)
}

/** Closes them: each ends by itself, without a word. */
export async function end(...processes: readonly Process[]): Promise<void> {
  for (const process of processes) {
    expect(await process.close(), process.output()).toBe(0)
    expect(process.output()).toBe('')
  }
}
