// A core that is elsewhere, for the tests: in this thread, but reached only by sessions that it opens or refuses.
import { BusError, createLinkEndpoints, openLink, type Link, type SessionKey } from '@sallyport/protocol'
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { pino } from 'pino'
import { afterEach } from 'vitest'
import {
  connectHost,
  type SessionDialer,
  type RemoteSession,
  type RemoteHost,
  type RemoteHostOptions,
} from '../../src/network.js'
import type { App } from '../../src/api/app.js'
import { createCore, type Core } from '../../src/core/core.js'
import type { Capability } from '../../src/acl/types.js'
import type { CoreReport } from '../../src/contract/control.js'
import type { CoreDefinition } from '../../src/api/define.js'
import { everyCommand, fixture } from '../start.js'

type Pattern = 'brownfield' | 'isolation'

export interface Opened extends RemoteSession {
  label: string
  /** What has come from the frontend, as it came. */
  bodies: Uint8Array[]
  told: string[]
}

export interface Far extends SessionDialer {
  core: Core
  /** As a handler has it. */
  app: App
  reports: CoreReport[]
  sessions: Opened[]
  /** Of every call of `open`. */
  asked: number
  /** Why nobody is let in, where nobody is. */
  refuses: BusError | undefined
}

export const nobody = (): BusError => new BusError('Disconnected', 'no responders', { data: { delivered: 'no' } })

const closed = new WeakSet<Link>()
const cores: Core[] = []
const hosts: RemoteHost[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map(host => host.close()))
  await Promise.all(cores.splice(0).map(core => core.close()))
})

export async function startFar(
  pattern: Pattern = 'brownfield',
  definition: Partial<CoreDefinition> = {},
  capability: Capability = everyCommand,
): Promise<Far> {
  const reports: CoreReport[] = []
  const { default: usual } = (await import(fixture('core.mjs').href)) as { default: CoreDefinition }
  let app!: App
  const core = await createCore(
    {
      ...usual,
      ...definition,
      setup(given) {
        app = given
        return (definition.setup ?? usual.setup)?.(given)
      },
    },
    {
      pattern,
      acl: {
        capabilities: [{ value: [capability], from: 'the test' }],
        permissionFiles: [],
        manifests: undefined,
        unknownPermissions: 'error',
        platform: 'linux',
      },
      appInfo: {},
      plugins: {},
      logLevel: 'silent',
    },
    () => pino({ level: 'silent' }),
    report => reports.push(report),
  )
  cores.push(core)
  let ids = 0
  const far: Far = {
    core,
    app,
    reports,
    sessions: [],
    asked: 0,
    refuses: undefined,
    async open({ label, codec }) {
      far.asked++
      if (far.refuses) throw far.refuses
      const [there, here] = createLinkEndpoints('port')
      const keys = new MessageChannel()
      const keyed = pattern === 'isolation' ? { keyPort: keys.port1 } : {}
      core.attach({ label, codec, endpoint: there, id: ++ids, cipher: true, ...keyed })
      const key =
        pattern === 'isolation' ? await keyOf(keys) : { session: new Uint8Array(16), secret: new Uint8Array(32) }
      const told: string[] = []
      const bodies: Uint8Array[] = []
      const session: Opened = {
        label,
        link: listening(openLink(here, true), bodies),
        key,
        bodies,
        told,
        begin: () => {
          told.push('begin')
          core.begin(label)
        },
        end: () => {
          // Nothing goes over a session that is closed.
          told.push(closed.has(session.link) ? 'end too late' : 'end')
          core.end(label)
        },
      }
      far.sessions.push(session)
      return session
    },
  }
  return far
}

export async function join(far: SessionDialer, options: RemoteHostOptions = {}): Promise<RemoteHost> {
  const host = await connectHost({ log: false, ...options }, far, { where: 'joinBus', name: 'joined' })
  hosts.push(host)
  return host
}

async function keyOf({ port2 }: MessageChannel): Promise<SessionKey> {
  const [key] = (await once(port2, 'message')) as [SessionKey]
  return key
}

/** The same link, of which what is sent is kept. */
function listening(link: Link, bodies: Uint8Array[]): Link {
  const send = link.send.bind(link)
  const close = link.close.bind(link)
  link.close = () => {
    closed.add(link)
    close()
  }
  link.send = frame => {
    bodies.push(Buffer.from(frame.body as Uint8Array))
    send(frame)
  }
  return link
}
