// Core in the calling thread: the same actor as in a worker, over a port of its own, so that the host finds nothing different.
// There is no thread to end: what is to end closes core.
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort, type TransferListItem } from 'node:worker_threads'
import type { CoreDefinition } from '../api/define.js'
import type { CoreCommand, CoreReport, CoreWorkerData } from '../contract/control.js'
import { createCoreLog, runCoreActor } from '../core/core-actor.js'
import type { Core } from '../core/core.js'
import type { ThreadHandle } from './supervision/worker-actor.js'

/** All that a worker is told, but for its module and its heart. */
export type InProcessCoreData = Omit<CoreWorkerData, 'module' | 'heartbeat' | 'sourceMaps'>

type Tell = (report: CoreReport) => void

export class InProcessCore extends EventEmitter implements ThreadHandle {
  readonly #host: MessagePort
  readonly #core: Promise<Core>
  #code = 0

  constructor(definition: CoreDefinition, data: InProcessCoreData) {
    super()
    const { port1: host, port2: inner } = new MessageChannel()
    this.#host = host
    host.on('message', report => void this.emit('message', report))
    host.once('close', () => void this.emit('exit', this.#code))
    const tell: Tell = report => inner.postMessage(report)
    this.#core = create(definition, structuredClone(data), tell)
    runCoreActor({
      create: () => this.#core,
      hear: take => inner.on('message', (command: CoreCommand) => take(command)),
      tell,
      // What it has told before arrives first.
      ended: () => this.#end(inner),
    })
  }

  postMessage(message: unknown, transfer: readonly TransferListItem[] = []): void {
    this.#host.postMessage(message, transfer)
  }

  async terminate(): Promise<void> {
    this.#code = 1
    this.#end(this.#host)
  }

  unref(): void {
    this.#host.unref()
  }

  /** A setup may still be under way. */
  #end(port: MessagePort): void {
    port.close()
    this.#core.then(
      core => core.close(),
      () => {},
    )
  }
}

/** A host whose core is a worker loads nothing of it. */
async function create(definition: CoreDefinition, data: InProcessCoreData, tell: Tell): Promise<Core> {
  const { createCore } = await import('../core/core.js')
  return createCore(
    definition,
    data,
    createCoreLog(data.logLevel, line => tell({ type: 'log', line })),
    tell,
  )
}
