// Many frontends in one thread: the real core, and for each frontend a real client and a link within memory, which core takes as
// one of a network. What reaches whom is counted at the links, so that nothing of the bus is changed for it.
import type { Link, Unlisten } from '@sallyport/protocol'
import { pino } from 'pino'
import { createMemoryLinkPair } from '../../../protocol/test/memory-link.js'
import { Client } from '../../../frontend/src/client/client.js'
import type { App } from '../../src/api/app.js'
import type { CoreReport } from '../../src/contract/control.js'
import { createCore, type Core } from '../../src/core/core.js'
import type { Accepted, Hub } from '../../src/contract/network.js'

const log = pino({ level: 'silent' })

/** Turns of the event loop without a frame, after which nothing is under way: all that happens here happens in one thread. */
const QUIET_TURNS = 5

export class Crowd {
  readonly clients = new Map<string, Client>()
  /** Frames that came to each frontend since `forget`; none is no entry. */
  readonly heard = new Map<string, number>()
  /** What core has told the host. */
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
      unknownPermissions: 'error' as const,
      platform: 'linux' as const,
    }
    const network = {
      module: new URL('hub.mjs', import.meta.url).href,
      options: { take: (hub: Hub) => (crowd.#hub = hub) },
    }
    crowd.#core = await createCore(
      definition,
      { pattern: 'brownfield', acl, appInfo: {}, plugins: {}, network, logLevel: 'silent' },
      () => log,
      report => crowd.reports.push(report),
    )
    return crowd
  }

  /** Core's session alone: the other end of its link is given. */
  attach(label: string): Link {
    const [near, far] = createMemoryLinkPair()
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

  /** As a frontend goes: its session ends, and the others are told. */
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
    this.heard.clear()
  }

  /** Resolves once no frame is under way. */
  async quiet(): Promise<void> {
    for (let turns = 0, seen = this.#frames; turns < QUIET_TURNS; turns++) {
      await new Promise(resolve => setImmediate(resolve))
      if (seen === this.#frames) continue
      seen = this.#frames
      turns = 0
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
          this.heard.set(label, (this.heard.get(label) ?? 0) + 1)
          receiver.frame(frame)
        },
        closed: fault => receiver.closed(fault),
      })
    return link
  }
}
