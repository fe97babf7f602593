// A hostile process with direct sockets: the threads' ends are opened as by a relay, and its own ends take any bytes.
import { acceptDirect, connectDirect } from '@sallyport/protocol/internal/link'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import type { FuzzStream } from './stream.js'

export interface DirectEnd {
  /** The id of the thread's end. */
  readonly id: number
  /** The end of the process. */
  readonly socket: Socket
  /** Resolves once the thread's socket has closed. */
  readonly released: Promise<unknown>
}

/** Each takes a turn of the event loop. */
const MAX_CHUNKS = 100

let lastId = 0

export async function openDirectEnd(): Promise<DirectEnd> {
  const { port1, port2 } = new MessageChannel()
  const id = ++lastId
  const released = once(port2, 'close')
  connectDirect({ id, port: port1 })
  const [socket] = await acceptDirect([port2], tmpdir())
  return { id, socket: socket!, released }
}

/** Writes each chunk in a turn of its own, so that the thread reads it before the next one. */
export async function writeStream(socket: Socket, { bytes, chunks }: FuzzStream): Promise<void> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = i < MAX_CHUNKS ? chunks[i % chunks.length]! : bytes.length
    socket.write(bytes.subarray(at, at + size))
    at += size
    await turn()
  }
}
