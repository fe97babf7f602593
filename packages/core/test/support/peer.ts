// A core with a few commands, and a peer that sends it frames byte by byte.
import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type Logger, pino } from 'pino'
import { afterTests } from '../../../../scripts/testing.js'
import { BatchReader, type CodecName } from '@sallyport/protocol/internal/codec'
import { RECORD_DIRECTION, type SessionKey } from '@sallyport/protocol/internal/contract'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { FRAME_KIND, type FrameKind, type Link } from '@sallyport/protocol/internal/wire'
import { createSealer, type Sealer } from '@sallyport/protocol/internal/records'
import type { AclInput } from '../../src/acl/types.js'
import { createCore, type Core } from '../../src/core-thread/core.js'
import type { CoreReport, LinkOffer } from '../../src/contract/host-core.js'
import type { Commands } from '../../src/api/define.js'

const cores: Core[] = []
afterTests.each.push(() => Promise.all(cores.splice(0).map(core => core.close())))

export const createSilentLog = (): Logger => pino({ level: 'silent' })

/** The number of calls of `count`. */
export const ran = { times: 0 }
const defaultCommands: Commands = {
  ok: () => 'fine',
  count: () => ++ran.times,
  forever: () => new Promise(() => {}),
  deep: (args: object) => args,
}

/** @param windows - the labels that can call the commands */
export async function setUp(
  pattern: 'brownfield' | 'isolation' = 'brownfield',
  commands: Commands = defaultCommands,
  windows = ['*'],
) {
  const reports: CoreReport[] = []
  const permissions = Object.keys(commands).map(name => `allow-${name.replaceAll('_', '-')}`)
  const capabilities = [{ identifier: 'all', windows, permissions }]
  const acl: AclInput = {
    capabilities: [{ value: capabilities, from: 'the test' }],
    permissionFiles: [],
    manifests: undefined,
    platform: 'linux',
  }
  const options = { pattern, acl, appInfo: {}, codec: 'json' as const, plugins: {}, logLevel: 'silent' }
  const core: Core = await createCore(
    { commands },
    options,
    createSilentLog,
    // Each link reports a histogram, which says nothing about its frontend.
    report => {
      if (report.type !== 'latency') reports.push(report)
      // The host has nothing to say of its end.
      if (report.type === 'closed') core.sessions.detach(report.id, undefined)
    },
  )
  cores.push(core)
  return { core, reports }
}

let lastFrontend = 0

/** A peer that sends arbitrary frames, and reads the answers. */
export class Peer {
  readonly frontend: number = ++lastFrontend
  readonly received: unknown[] = []
  readonly link: Link
  closed = false
  frames = 0
  #wake = () => {}

  constructor(
    core: Core,
    label: string | undefined,
    keyPort?: MessagePort,
    codec: CodecName = 'json',
    options: Pick<LinkOffer, 'limitLabel' | 'allow'> = {},
  ) {
    const [coreEndpoint, endpoint] = createLinkEndpoints('port')
    core.attach({
      ...{ label, codec, ...options, endpoint: coreEndpoint, id: 1, ...(keyPort && { keyPort }) },
      frontend: label === undefined ? undefined : this.frontend,
    })
    const reader = new BatchReader(true)
    this.link = openLink(endpoint, true)
    this.link.receive({
      frame: ({ kind, body }) => {
        this.frames++
        this.received.push(...reader.read(kind, body))
        this.#wake()
      },
      closed: () => {
        this.closed = true
        this.#wake()
      },
    })
  }

  send(text: string | Uint8Array, kind: FrameKind = FRAME_KIND.json): this {
    this.link.send({ kind, body: text })
    return this
  }

  async next(): Promise<any> {
    while (this.received.length === 0 && !this.closed) await new Promise<void>(resolve => (this.#wake = resolve))
    return this.received.shift()
  }

  async end(): Promise<void> {
    while (!this.closed) await new Promise<void>(resolve => (this.#wake = resolve))
  }
}

export const call = (id: unknown, method: string, more = ''): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(method)}${more}}`

/** Attaches a peer in place of a gate and its frontend, which seals with the key of the session. */
export async function attachSealed(
  core: Core,
  label: string,
): Promise<{ peer: Peer; key: SessionKey; sealer: Sealer }> {
  const keys = new MessageChannel()
  const peer = new Peer(core, label, keys.port1)
  const [key] = (await once(keys.port2, 'message')) as [SessionKey]
  return { peer, key, sealer: createSealer({ ...key, direction: RECORD_DIRECTION }) }
}
