// Clients of the network in fixtures/network/socket-network.mjs, and a wire that carries events between buses.
import { randomBytes, randomUUID } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterTests } from '../../../../scripts/testing.js'
import { endClient, createReconnectingClient, type Client, type ClientOptions } from '@sallyport/frontend/internal'
import { BatchReader } from '@sallyport/protocol/internal/codec'
import { RECORD_DIRECTION } from '@sallyport/protocol/internal/contract'
import { BusError, type BusErrorReason } from '@sallyport/protocol/internal/errors'
import { StreamLink } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, type Link } from '@sallyport/protocol/internal/wire'
import { createSealer } from '@sallyport/protocol/internal/records'
import { fixture } from './start.js'

const ends: (() => unknown)[] = []
afterTests.each.push(() => Promise.all(ends.splice(0).map(end => end())))

const newPath = (): string => join(tmpdir(), `sallyport-${randomUUID().slice(0, 13)}.sock`)

/** Returns the option of `createBus`, and the socket that frontends connect to. */
export function socketNetwork(more: { name?: string; events?: string; fails?: boolean } = {}) {
  const path = newPath()
  const network = { module: fixture('network/socket-network.mjs'), options: { name: 'one', path, ...more } }
  return { path, network }
}

/** Returns the path of a socket that passes each line on to all other peers. */
export async function eventWire(): Promise<string> {
  const path = newPath()
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    createInterface({ input: socket }).on('line', line => {
      for (const other of sockets) if (other !== socket) other.write(`${line}\n`)
    })
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return path
}

interface Hello extends Partial<ClientOptions> {
  label: string
  /** A fault that the network reports for this session. */
  fault?: string
  /** Sends records instead of plaintext. */
  sealed?: boolean
}

/** Connects a client. Destroying the socket closes the connection without a message. */
export async function dial(
  path: string,
  { sealed, fault, ...options }: Hello,
): Promise<{ client: Client; socket: Socket }> {
  const socket = connect(path)
  ends.push(() => socket.destroy())
  const key = sealed ? { session: randomBytes(16), secret: randomBytes(32) } : undefined
  const { label, codec = 'json' } = options
  const hex = key && { session: key.session.toString('hex'), secret: key.secret.toString('hex') }
  socket.write(`${JSON.stringify({ label, codec, fault, key: hex })}\n`)
  const answer = await firstLine(socket)
  if (answer !== 'ok') {
    const [reason, ...text] = answer.split(': ')
    throw new BusError((reason || 'Disconnected') as BusErrorReason, text.join(': '))
  }
  const link = new StreamLink(socket)
  const client = createReconnectingClient(key ? sealing(link, key) : link, options)
  ends.push(() => endClient(client, undefined))
  return { client, socket }
}

/** Seals all frames, in place of a gate. */
function sealing(link: Link, key: { session: Uint8Array; secret: Uint8Array }): Link {
  const sealer = createSealer({ ...key, direction: RECORD_DIRECTION })
  const reader = new BatchReader()
  return {
    send({ kind, body }) {
      const count = reader.read(kind, body).length
      link.send({ kind: FRAME_KIND.sealed, body: sealer.seal(kind, body, count) })
    },
    get queued() {
      return link.queued
    },
    room: () => link.room(),
    receive: receiver => link.receive(receiver),
    pause: () => link.pause(),
    resume: () => link.resume(),
    close: () => link.close(),
  }
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const read = (): void => {
      const all = socket.read() as Buffer | null
      if (all === null) return void socket.once('readable', read)
      const end = all.indexOf(10)
      if (all.length > end + 1) socket.unshift(all.subarray(end + 1))
      resolve(all.subarray(0, end).toString())
    }
    socket.once('error', reject).once('close', () => reject(new BusError('Disconnected', 'no answer')))
    socket.once('readable', read)
  })
}
