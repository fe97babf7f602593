// A frontend with one session over NATS, in this thread, built by hand from the parts of joined processes.
import { connect, createInbox, type NatsConnection } from '@nats-io/transport-node'
import { type Client, LinkClient } from '@sallyport/frontend/internal'
import { BatchReader } from '@sallyport/protocol/internal/codec'
import { RECORD_DIRECTION } from '@sallyport/protocol/internal/contract'
import { FRAME_KIND, type Link } from '@sallyport/protocol/internal/wire'
import { createSealer } from '@sallyport/protocol/internal/records'
import { onTestFinished } from 'vitest'
import { clientSubject, coreSubject, openSubject } from '../../src/connection/subjects.js'
import { issueCredential } from '../../src/handshake/credential.js'
import { initiateHandshake } from '../../src/handshake/handshake.js'
import type { SessionKeys } from '../../src/handshake/messages.js'
import { NatsLink } from '../../src/link/nats-link.js'
import { createProtection } from '../../src/link/messages.js'

export interface RemoteFrontendOptions {
  url: string
  bus: string
  secret: string
  label: string
  pattern?: 'brownfield' | 'isolation'
  /** The instance to open a session with; any by default. */
  instance?: string
  heartbeat?: number
}

export interface RemoteFrontend {
  client: Client
  nats: NatsConnection
  /** The instance that has accepted the session. */
  instance: string
  link: NatsLink
  keys: SessionKeys
  hello: Uint8Array
  /** Subjects of the session's messages to and from core. */
  subjects: { to: string; from: string }
}

export async function openNats(url: string): Promise<NatsConnection> {
  const nats = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50, noEcho: true })
  onTestFinished(() => nats.close())
  return nats
}

let count = 0

export async function openRemoteFrontend(options: RemoteFrontendOptions): Promise<RemoteFrontend> {
  const { url, bus, secret, label, pattern = 'brownfield', heartbeat = 2000 } = options
  const nats = await openNats(url)
  const clientName = `test${++count}`
  const credential = issueCredential(secret, { label })
  const handshake = initiateHandshake({ credential, bus, client: clientName, pattern, codec: 'json' })
  const inbox = createInbox()
  let link: NatsLink | undefined
  nats.subscribe(clientSubject(bus, clientName, '*'), {
    callback: (_error, { data, headers }) => (headers ? link?.suspect() : link?.handleMessage(data)),
  })
  const opening = new Promise<Omit<RemoteFrontend, 'client'>>((resolve, reject) => {
    const callback = (_error: unknown, { data }: { data: Uint8Array }): void => {
      try {
        const { instance, keys } = handshake.finish(data)
        const { session, wire: secret } = keys
        const name = Buffer.from(session).toString('hex')
        const subjects = { to: coreSubject(bus, instance, name), from: clientSubject(bus, clientName, name) }
        const wire = {
          publish: (message: Uint8Array) => nats.publish(subjects.to, message, { reply: subjects.from }),
          maxPayload: nats.info!.max_payload,
        }
        const protection = createProtection({ secret, session, side: 'frontend' })
        link = new NatsLink({ wire, protection, heartbeat })
        resolve({ nats, instance, keys, link, hello: handshake.hello, subjects })
      } catch (error) {
        reject(error as Error)
      }
    }
    nats.subscribe(inbox, { callback, max: 1 })
  })
  nats.publish(openSubject(bus, options.instance), handshake.hello, { reply: inbox })
  const session = await opening
  const client = new LinkClient(pattern === 'isolation' ? sealFrames(session.link, session.keys) : session.link, {
    label,
  })
  onTestFinished(() => client.close())
  return { client, ...session }
}

/** Seals all frames, in place of a gate whose hook allows everything. */
function sealFrames(link: Link, { session, gate }: SessionKeys): Link {
  const sealer = createSealer({ session, secret: gate, direction: RECORD_DIRECTION })
  const reader = new BatchReader()
  return {
    send({ kind, body }) {
      const messages = reader.read(kind, Buffer.from(body as string)).length
      link.send({ kind: FRAME_KIND.sealed, body: sealer.seal(kind, body, messages) })
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
