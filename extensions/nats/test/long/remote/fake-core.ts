// A remote core for tests: it runs in this thread, but is reached only through sessions that it opens or rejects.
import type { SessionKey } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import type { Link } from '@sallyport/protocol/internal/wire'
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { afterEach } from 'vitest'
import type { RemoteHostOptions } from '@sallyport/core/internal/network'
import { JoinedBus, type JoinedDeps } from '../../../src/client/joined-bus.js'
import { type RemoteSession, type SessionDialer, startRemoteHost } from '../../../src/client/remote-core.js'
import type { App } from '../../../../../packages/core/src/api/app.js'
import { createCore, type Core } from '../../../../../packages/core/src/core-thread/core.js'
import type { Capability } from '../../../../../packages/core/src/acl/types.js'
import type { CoreReport } from '../../../../../packages/core/src/contract/host-core.js'
import type { CoreDefinition } from '../../../../../packages/core/src/api/define.js'
import { createSilentLog } from '../../../../../packages/core/test/support/peer.js'
import { everyCommand, fixture } from '../../../../../packages/core/test/support/start.js'

type Pattern = 'brownfield' | 'isolation'

export interface FakeSession extends RemoteSession {
  label: string
  /** Frames from the frontend, as they came. */
  bodies: Uint8Array[]
  /** Calls of `begin` and `end` of the link. */
  events: string[]
}

export interface FakeCore extends SessionDialer {
  core: Core
  app: App
  reports: CoreReport[]
  sessions: FakeSession[]
  /** Number of calls of `open`. */
  attempts: number
  /** The error with which every call of `open` rejects, if set. */
  rejection: BusError | undefined
}

export const noResponders = (): BusError => new BusError('Disconnected', 'no responders', { data: { delivered: 'no' } })

const closedLinks = new WeakSet<Link>()
const cores: Core[] = []
const hosts: JoinedBus[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map(host => host.close()))
  await Promise.all(cores.splice(0).map(core => core.close()))
})

export async function startCore(
  pattern: Pattern = 'brownfield',
  definition: Partial<CoreDefinition> = {},
  capability: Capability = everyCommand,
): Promise<FakeCore> {
  const reports: CoreReport[] = []
  const { default: defaults } = (await import(fixture('core.mjs').href)) as { default: CoreDefinition }
  let app!: App
  const core = await createCore(
    {
      ...defaults,
      ...definition,
      setup(createdApp) {
        app = createdApp
        return (definition.setup ?? defaults.setup)?.(createdApp)
      },
    },
    {
      pattern,
      acl: {
        capabilities: [{ value: [capability], from: 'the test' }],
        permissionFiles: [],
        manifests: undefined,
        platform: 'linux',
      },
      appInfo: {},
      codec: 'json',
      plugins: {},
      logLevel: 'silent',
    },
    createSilentLog,
    report => {
      reports.push(report)
      if (report.type === 'closed') core.sessions.detach(report.id, undefined)
    },
  )
  cores.push(core)
  let lastId = 0
  const fakeCore: FakeCore = {
    core,
    app,
    reports,
    sessions: [],
    attempts: 0,
    rejection: undefined,
    async open({ label, codec }) {
      fakeCore.attempts++
      if (fakeCore.rejection) throw fakeCore.rejection
      const [coreEnd, hostEnd] = createLinkEndpoints('port')
      const keys = new MessageChannel()
      const keyPort = pattern === 'isolation' ? { keyPort: keys.port1 } : {}
      const frontend = ++lastId
      core.attach({ frontend, label, codec, endpoint: coreEnd, id: frontend, ...keyPort })
      const key =
        pattern === 'isolation' ? await receiveKey(keys) : { session: new Uint8Array(16), secret: new Uint8Array(32) }
      const events: string[] = []
      const bodies: Uint8Array[] = []
      const link = Object.assign(recordFrames(openLink(hostEnd, true), bodies), {
        begin() {
          events.push('begin')
          core.sessions.begin(frontend)
        },
        end() {
          // Nothing can be sent over a closed session.
          events.push(closedLinks.has(link) ? 'end too late' : 'end')
          core.codeEnded({ type: 'ended', frontend, next: 'none', drops: false })
        },
      })
      const session: FakeSession = { label, link, key, bodies, events }
      fakeCore.sessions.push(session)
      return session
    },
  }
  return fakeCore
}

/** A joined bus without NATS. Its connections are sticky. */
export async function join(
  dialer: SessionDialer,
  options: RemoteHostOptions = {},
  firstLinkTimeout?: number,
): Promise<JoinedBus & Pick<JoinedDeps, 'host'>> {
  const host = await startRemoteHost({ log: false, ...options }, dialer, firstLinkTimeout)
  const balancer = {
    has: () => false,
    connect: async (label: string, others: object) => (await host.connect(label, others)).client,
    close: async () => false,
    closeAll: async () => {},
  }
  const deps = { host, balancer, connection: { close: async () => {} }, faults: { flush() {} } }
  const joined = new JoinedBus(deps as unknown as JoinedDeps)
  hosts.push(joined)
  return Object.assign(joined, { host })
}

async function receiveKey({ port2 }: MessageChannel): Promise<SessionKey> {
  const [key] = (await once(port2, 'message')) as [SessionKey]
  return key
}

/** Records the frames that are sent over a link, and its close. */
function recordFrames(link: Link, bodies: Uint8Array[]): Link {
  const send = link.send.bind(link)
  const close = link.close.bind(link)
  link.close = () => {
    closedLinks.add(link)
    close()
  }
  link.send = frame => {
    bodies.push(typeof frame.body === 'string' ? Buffer.from(frame.body) : Uint8Array.from(frame.body))
    send(frame)
  }
  return link
}
