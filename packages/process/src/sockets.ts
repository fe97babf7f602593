// The sockets of one process, as the host sees them: each leads to the thread that reads the process's frames, or writes those for it.
import { tmpdir } from 'node:os'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { canListenBelow } from '@sallyport/protocol/internal/link'
import type { RelaySockets, SocketOwner } from './contract.js'

let lastId = 0

export class ProcessSockets implements RelaySockets {
  readonly ids: number[] = []
  /** To each owner, for the relay. */
  readonly ports: MessagePort[] = []
  readonly #owners: readonly (readonly [SocketOwner, thread: object | undefined])[]
  #isUsed = false

  private constructor(owners: readonly SocketOwner[]) {
    this.#owners = owners.map(owner => [owner, owner.code.thread])
    for (const owner of owners) {
      const { port1: port, port2 } = new MessageChannel()
      owner.post({ type: 'socket', socket: { id: ++lastId, port } }, [port])
      this.ids.push(lastId)
      this.ports.push(port2)
    }
  }

  /**
   * Returns `undefined` if the relay has to forward frames: on Windows, if the path of the temporary directory is too long for a socket, if an
   * owner is not running, or without an owner.
   */
  static create(owners: readonly SocketOwner[]): ProcessSockets | undefined {
    const isPossible = owners.length > 0 && owners.every(owner => owner.isUp) && canListenBelow(tmpdir())
    return isPossible ? new ProcessSockets(owners) : undefined
  }

  get areFree(): boolean {
    return !this.#isUsed && this.#owners.every(([owner, thread]) => owner.code.thread === thread)
  }

  take(): void {
    this.#isUsed = true
  }
}
