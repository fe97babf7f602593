// The sockets of one process, as the host sees them: each leads to the thread that reads the process's frames, or writes those for it.
import { tmpdir } from 'node:os'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { canListenBelow, type DirectSocket } from '@sallyport/protocol/internal/link'

/** A thread that can own an end of a socket: core's, or that of a gate. */
export interface SocketOwner {
  /** Another one, or none, once the thread has stopped: its sockets have closed. */
  readonly thread: object | undefined
  /** Returns false if the thread is not running. */
  takeSocket(socket: DirectSocket): boolean
}

let lastId = 0

export class ProcessSockets {
  /** The ends, in the order of their owners. */
  readonly ids: readonly number[]
  readonly #owners: readonly (readonly [SocketOwner, SocketOwner['thread']])[]
  #isUsed = false

  private constructor(owners: readonly SocketOwner[], ids: readonly number[]) {
    this.ids = ids
    this.#owners = owners.map(owner => [owner, owner.thread])
  }

  /**
   * Returns the sockets, and a port to each owner for the relay. Returns `undefined` if the relay has to forward frames: on Windows, if
   * the path of the temporary directory is too long for a socket, if an owner is not running, or without an owner.
   */
  static create(owners: readonly SocketOwner[]): { sockets: ProcessSockets; ports: MessagePort[] } | undefined {
    if (owners.length === 0 || !canListenBelow(tmpdir())) return undefined
    const ends = owners.map(owner => {
      const { port1, port2 } = new MessageChannel()
      return { owner, socket: { id: ++lastId, port: port1 }, port: port2 }
    })
    const ids = ends.map(({ socket }) => socket.id)
    const sockets = new ProcessSockets(owners, ids)
    const areTaken = ends.every(({ owner, socket }) => owner.takeSocket(socket))
    const ports = ends.map(({ port }) => port)
    if (areTaken) return { sockets, ports }
    for (const port of ports) port.close()
    return undefined
  }

  /** True until they are taken for a link, or one of the owners has stopped: the process needs others then, and cannot get them. */
  get areFree(): boolean {
    return !this.#isUsed && this.#owners.every(([owner, thread]) => owner.thread === thread)
  }

  take(): void {
    this.#isUsed = true
  }
}
