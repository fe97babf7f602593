// Core in the calling thread: the same actor as in a worker, behind a port of its own, so the host treats both alike. There is no
// thread to terminate; terminating closes core.
import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort, type TransferListItem } from 'node:worker_threads'
import type { CoreDefinition } from '../api/define.js'
import type { CoreCommand, CoreReport, CoreWorkerData } from '../contract/control.js'
import { createCoreLog, runCoreActor } from '../core/core-actor.js'
import type { Core } from '../core/core.js'
import type { ThreadHandle } from './supervision/worker-actor.js'

export type InProcessCoreData = Omit<CoreWorkerData, 'module' | 'heartbeat' | 'development' | 'sourceMaps'>

export class InProcessCore extends EventEmitter implements ThreadHandle {
  readonly #hostPort: MessagePort
  readonly #core: Promise<Core>
  #exitCode = 0

  constructor(definition: CoreDefinition, data: InProcessCoreData) {
    super()
    const { port1: hostPort, port2: corePort } = new MessageChannel()
    this.#hostPort = hostPort
    hostPort.on('message', report => void this.emit('message', report))
    hostPort.once('close', () => void this.emit('exit', this.#exitCode))
    const report = (message: CoreReport): void => corePort.postMessage(message)
    const ownData = structuredClone(data)
    const getLog = createCoreLog(data.logLevel, line => report({ type: 'log', line }))
    // Core is imported only here, because a host whose core is a worker never needs its code.
    this.#core = import('../core/core.js').then(({ createCore }) => createCore(definition, ownData, getLog, report))
    runCoreActor({
      create: () => this.#core,
      subscribe: handle => corePort.on('message', (command: CoreCommand) => handle(command)),
      report,
      // Reports that were sent before arrive before the close.
      ended: () => this.#close(corePort),
    })
  }

  postMessage(message: unknown, transfer: readonly TransferListItem[] = []): void {
    this.#hostPort.postMessage(message, transfer)
  }

  async terminate(): Promise<void> {
    this.#exitCode = 1
    this.#close(this.#hostPort)
  }

  unref(): void {
    this.#hostPort.unref()
  }

  /** Core can still be in its setup; it is closed afterwards. */
  #close(port: MessagePort): void {
    port.close()
    this.#core.then(
      core => core.close(),
      () => {},
    )
  }
}
