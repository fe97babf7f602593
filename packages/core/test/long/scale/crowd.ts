// Many frontends in one thread: the real core, and for each frontend a real client over a memory link, as from a network. Messages
// are counted at the links, so that the bus itself is unchanged.
import { LocalLink } from '@sallyport/protocol/internal/link'
import type { Unlisten } from '@sallyport/protocol/internal/message'
import type { Link } from '@sallyport/protocol/internal/wire'
import { pino } from 'pino'
import { Client } from '../../../../frontend/src/client/client.js'
import type { App } from '../../../src/api/app.js'
import type { CoreReport } from '../../../src/contract/host-core.js'
import { createCore, type Core } from '../../../src/core-thread/core.js'
import type { Accepted, Hub } from '../../../src/contract/core-network.js'

const log = pino({ level: 'silent' })

/** Ticks without a frame after which no frame is in flight: everything runs in one thread. */
const QUIET_TICKS = 5

export class Crowd {
  readonly clients = new Map<string, Client>()
  /** Frames by frontend since `forget`. A frontend without frames has no entry. */
  readonly received = new Map<string, number>()
  /** Core's reports to the host. */
  readonly reports: CoreReport[] = []
  app!: App
  readonly #accepted = new Map<string, Accepted>()
  #core!: Core
  #hub!: Hub
  #frames = 0

  static async create(): Promise<Crowd> {
    const crowd = new Crowd()
    const definition = {
      commands: { add: ({ a, b }: { a: number; b: number }) => a + b },
      setup: (app: App) => void (crowd.app = app),
    }
    const capability = { identifier: 'all', windows: ['*'], permissions: ['allow-add'] }
    const acl = {
      capabilities: [{ value: [capability], from: 'the crowd' }],
      permissionFiles: [],
      manifests: undefined,
      platform: 'linux' as const,
    }
    const network = {
      module: new URL('hub.mjs', import.meta.url).href,
      options: { take: (hub: Hub) => (crowd.#hub = hub) },
    }
    crowd.#core = await createCore(
      definition,
      { pattern: 'brownfield', acl, appInfo: {}, codec: 'json', plugins: {}, network, logLevel: 'silent' },
      () => log,
      report => crowd.reports.push(report),
    )
    return crowd
  }

  /** Opens only core's session. Returns the other end of its link. */
  attach(label: string): Link {
    const [near, far] = LocalLink.createPair()
    const accepted = this.#hub.accept({ label, codec: 'json', link: far })
    accepted.begin()
    this.#accepted.set(label, accepted)
    return near
  }

  connect(label: string, link: Link = this.attach(label)): Client {
    const client = new Client(this.#counted(label, link), { label })
    this.clients.set(label, client)
    return client
  }

  /** Disconnects a frontend: its session ends, and the others are notified. */
  async leave(label: string): Promise<void> {
    const client = this.clients.get(label)!
    this.clients.delete(label)
    this.#accepted.get(label)!.end()
    this.#accepted.delete(label)
    await client.close()
  }

  call(label: string): Promise<unknown> {
    return this.clients.get(label)!.invoke('add', { a: 1, b: 2 })
  }

  listen(label: string, event: string): Promise<Unlisten> {
    return this.clients.get(label)!.listen(event, () => {})
  }

  forget(): void {
    this.received.clear()
  }

  /** Resolves once no frame is in flight. */
  async quiet(): Promise<void> {
    for (let ticks = 0, seen = this.#frames; ticks < QUIET_TICKS; ticks++) {
      await new Promise(resolve => setImmediate(resolve))
      if (seen === this.#frames) continue
      seen = this.#frames
      ticks = 0
    }
  }

  async close(): Promise<void> {
    await this.#core.close()
    await this.quiet()
  }

  #counted(label: string, link: Link): Link {
    const receive = link.receive.bind(link)
    link.receive = receiver =>
      receive({
        frame: frame => {
          this.#frames++
          this.received.set(label, (this.received.get(label) ?? 0) + 1)
          receiver.frame(frame)
        },
        closed: fault => receiver.closed(fault),
      })
    return link
  }
}
