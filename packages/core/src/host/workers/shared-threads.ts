// The threads of a host that several workers share: relays, and what the options let share one. Each worker is a tenant.
import type { TransferListItem, Worker } from 'node:worker_threads'
import { BusError } from '@sallyport/protocol/internal'
import type { HostLog } from '../reporting/log.js'
import { pipeToLog, throttleLines } from './output.js'
import { createNeighborFault, Tenant, type TenantOwner } from './tenant.js'

/** Threads that are alike, so that a tenant can be in any of them. */
export interface ThreadGroup {
  /** Unique among the groups of a host. Tenants of one group share threads. */
  name: string
  /** Maximum number of threads. Each new tenant gets the thread with the fewest. */
  size: number
  /** The limits of the thread, which must be the same for all of its tenants. */
  limits?: object | undefined
  /** @throws errors of `new Worker` */
  spawn(): Worker
}

export class SharedThreads {
  readonly #log: HostLog
  readonly #groups = new Map<string, Set<SharedThread>>()

  constructor(log: HostLog) {
    this.#log = log
  }

  /** @throws errors of `group.spawn` */
  open(group: ThreadGroup, name: string, data: unknown, transfer: readonly TransferListItem[] = []): Tenant {
    return this.#choose(group).open(name, data, transfer)
  }

  #choose(group: ThreadGroup): SharedThread {
    const threads = this.#groups.get(group.name) ?? new Set()
    const [thread] = [...threads].filter(each => each.isFree).toSorted((a, b) => a.tenants.size - b.tenants.size)
    if (thread && JSON.stringify(thread.limits) !== JSON.stringify(group.limits)) {
      const remedy = `Use the same limits for each member of the ${group.name}, or another group`
      throw new BusError('InvalidParams', `sandbox.resourceLimits differ from those of the running thread. ${remedy}`)
    }
    if (thread && threads.size >= group.size) return thread
    const started = new SharedThread(group, this.#log, () => {
      threads.delete(started)
      if (threads.size === 0) this.#groups.delete(group.name)
    })
    this.#groups.set(group.name, threads.add(started))
    return started
  }
}

/** One thread. It ends with its last tenant. */
class SharedThread implements TenantOwner {
  readonly tenants = new Set<Tenant>()
  readonly limits: object | undefined
  readonly #worker: Worker
  readonly #close: () => void
  #isClosed = false

  constructor({ name, limits, spawn }: ThreadGroup, log: HostLog, onClosed: () => void) {
    this.limits = limits
    const worker = (this.#worker = spawn())
    this.#close = () => {
      if (this.#isClosed) return
      this.#isClosed = true
      onClosed()
    }
    const lines = throttleLines(log, { worker: 'shared', label: name })
    pipeToLog(worker, lines)
    worker.on('error', error => {
      this.#close()
      for (const tenant of this.tenants) tenant.threadFailed(error)
    })
    worker.on('exit', code => {
      this.#close()
      lines.flush()
      for (const tenant of this.tenants) tenant.threadExited(code)
      this.tenants.clear()
    })
  }

  /** False while one of the tenants does not end: its thread might be blocked. */
  get isFree(): boolean {
    return !this.#isClosed && ![...this.tenants].some(tenant => tenant.isTerminated)
  }

  open(name: string, data: unknown, transfer: readonly TransferListItem[]): Tenant {
    const tenant = new Tenant(name, data, this, (added, ports) =>
      this.#worker.postMessage(added, [...ports, ...transfer]),
    )
    this.tenants.add(tenant)
    return tenant
  }

  exited(tenant: Tenant): boolean {
    if (this.tenants.size > 1) return this.tenants.delete(tenant)
    this.#close()
    void this.#worker.terminate()
    return false
  }

  blocked(): void {
    this.fail(tenant => createNeighborFault(tenant, 'A thread did not respond'))
  }

  unreffed(): void {
    if ([...this.tenants].every(({ isRef }) => !isRef)) this.#worker.unref()
  }

  fail(getError: (tenant: Tenant) => Error): void {
    this.#close()
    for (const tenant of this.tenants) tenant.threadFailed(getError(tenant))
    void this.#worker.terminate()
  }
}
