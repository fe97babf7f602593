// A frontend of another process, made by hand of the parts that joined processes are made of: one session, in this thread.
import { connect, createInbox, type NatsConnection } from '@nats-io/transport-node'
import { Client } from '@sallyport/frontend/client'
import { BatchReader, FRAME_KIND, RECORD_DIRECTION, type Link } from '@sallyport/protocol'
import { createSealer } from '@sallyport/protocol/records'
import { onTestFinished } from 'vitest'
import type { SessionKeys } from '../src/handshake/key-derivation.js'
import { initiateHandshake } from '../src/handshake/initiator.js'
import { issueCredential } from '../src/handshake/credential.js'
import { NatsLink } from '../src/link/nats-link.js'
import { createProtection } from '../src/link/protection.js'
import { clientSubject, openSubject, coreSubject } from '../src/connection/subjects.js'

export interface FarOptions {
  url: string
  bus: string
  secret: string
  label: string
  pattern?: 'brownfield' | 'isolation'
  /** Of them all, unless given. */
  instance?: string
}

export interface Far {
  client: Client
  nats: NatsConnection
  /** That has taken it. */
  instance: string
  link: NatsLink
  keys: SessionKeys
  hello: Uint8Array
  /** The subjects of its session. */
  subjects: { to: string; from: string }
}

export async function openNats(url: string): Promise<NatsConnection> {
  const nats = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50, noEcho: true })
  onTestFinished(() => nats.close())
  return nats
}

let count = 0

export async function openFar(options: FarOptions): Promise<Far> {
  const { url, bus, secret, label, pattern = 'brownfield' } = options
  const nats = await openNats(url)
  const clientName = `test${++count}`
  const credential = issueCredential(secret, { label })
  const handshake = initiateHandshake({ credential, bus, client: clientName, pattern, codec: 'json' })
  const [inbox, all] = [createInbox(), clientSubject(bus, clientName, '*')]
  let link: NatsLink | undefined
  nats.subscribe(all, {
    callback: (_error, { data, headers }) => (headers ? link?.suspect() : link?.handleMessage(data)),
  })
  const opened = new Promise<Omit<Far, 'client'>>((resolve, reject) => {
    const callback = (_error: unknown, { data }: { data: Uint8Array }): void => {
      try {
        const { instance, keys } = handshake.finish(data)
        const name = Buffer.from(keys.session).toString('hex')
        const subjects = { to: coreSubject(bus, instance, name), from: clientSubject(bus, clientName, name) }
        const isIsolated = pattern === 'isolation'
        const made = new NatsLink({
          wire: {
            publish: message => nats.publish(subjects.to, message, { reply: subjects.from }),
            maxPayload: nats.info!.max_payload,
          },
          protection: createProtection({
            secret: keys.wire,
            session: keys.session,
            side: 'frontend',
            cipher: isIsolated,
          }),
          heartbeat: 2000,
        })
        link = made
        resolve({ nats, instance, keys, link: made, hello: handshake.hello, subjects })
      } catch (error) {
        reject(error as Error)
      }
    }
    nats.subscribe(inbox, { callback, max: 1 })
  })
  nats.publish(openSubject(bus, options.instance), handshake.hello, { reply: inbox })
  const far = await opened
  const client = new Client(pattern === 'isolation' ? sealing(far.link, far.keys) : far.link, { label })
  onTestFinished(() => client.close())
  return { client, ...far }
}

/** In the place of a gate: what its hook would have let pass is sealed. */
function sealing(link: Link, { session, gate }: SessionKeys): Link {
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
