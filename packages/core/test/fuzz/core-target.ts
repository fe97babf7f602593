// A core with commands of every kind, an honest frontend that must always be served, and hostile ones that come and go.
import { pino } from 'pino'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import { createLinkEndpoints, type LinkEndpoint, type LinkKind, openLink } from '@sallyport/protocol/internal/link'
import type { MessagePort } from 'node:worker_threads'
import { type Core, createCore } from '../../src/core-thread/core.js'
import type { Channel } from '../../src/rpc/channels.js'
import type { CommandContext } from '../../src/api/app.js'
import { CANARY, Wire } from './wire.js'

const COMMANDS = ['ok', 'count', 'echo', 'fails', 'values', 'send', 'later', 'forever', 'hold']

export interface Fuzzed {
  readonly core: Core
  /** Calls of `count` by frontend, calls of `forbidden`, and calls and channels that the honest frontend has lost. */
  readonly ran: { bad: number; honest: number; forbidden: number; lost: number }
  /** Log entries of more than one line. */
  readonly badLines: string[]
  /** Returns the latest log line. */
  lastLine(): string
  /** Returns the reason of the latest violation of the hostile frontend, and forgets it. */
  takeFault(): string | undefined
  /** Passes an end of a link to core. */
  attach(label: string, codec: CodecName, endpoint: LinkEndpoint, keyPort?: MessagePort): void
  /** Connects a frontend without a gate. */
  connect(label: string, link: LinkKind, codec: CodecName, keyPort?: MessagePort): Wire
  /** Returns the problem if the honest frontend is not served. */
  checkHonest(): Promise<string | undefined>
  close(): Promise<void>
}

export async function createFuzzed(pattern: 'brownfield' | 'isolation'): Promise<Fuzzed> {
  const ran = { bad: 0, honest: 0, forbidden: 0, lost: 0 }
  const badLines: string[] = []
  let lastLine = ''
  let fault: string | undefined
  const commands = {
    ok: () => 'fine',
    count: (_args: object, { label }: CommandContext) => ++ran[label as 'bad' | 'honest'],
    echo: (args: object) => args,
    fails: () => {
      throw new Error('it fails')
    },
    async *values() {
      yield 1
      yield 2
    },
    send: async ({ channel }: { channel?: Partial<Channel> }) => {
      await channel?.send?.(1)
    },
    later: () => new Promise(resolve => setTimeout(resolve, 1)),
    forever: () => new Promise(() => {}),
    hold: ({ channel }: { channel?: Channel }, { label, signal }: CommandContext) => {
      if (label !== 'honest') return null
      for (const held of [signal, channel!.signal]) held.addEventListener('abort', () => ran.lost++)
      return new Promise(() => {})
    },
    forbidden: () => ++ran.forbidden,
  }
  const permissions = COMMANDS.map(name => `allow-${name}`)
  const core = await createCore(
    { commands },
    {
      pattern,
      acl: {
        capabilities: [{ value: [{ identifier: 'all', windows: ['*'], permissions }], from: 'the fuzzer' }],
        permissionFiles: [],
        manifests: undefined,
        platform: 'linux',
      },
      appInfo: {},
      codec: 'json',
      plugins: {},
      logLevel: 'warn',
    },
    () => log,
    report => {
      if (report.type === 'fault' && report.label === 'bad') fault = report.error.reason ?? 'none'
    },
  )
  const log = pino(
    { level: 'warn' },
    {
      write(line) {
        lastLine = line
        // oxlint-disable-next-line no-control-regex
        if (/[\u0000-\u001f\u007f]/u.test(line.slice(0, -1))) badLines.push(line)
      },
    },
  )
  let lastFrontend = 0
  const attach: Fuzzed['attach'] = (label, codec, endpoint, keyPort) =>
    core.attach({ frontend: ++lastFrontend, label, codec, endpoint, id: 1, ...(keyPort && { keyPort }) })
  const connect: Fuzzed['connect'] = (label, link, codec, keyPort) => {
    const [coreEndpoint, endpoint] = createLinkEndpoints(link)
    attach(label, codec, coreEndpoint, keyPort)
    return new Wire(openLink(endpoint, true), endpoint)
  }
  // Without a key its link takes plaintext frames, in either pattern.
  const honest = connect('honest', 'port', 'json')
  let lastId = 1
  honest.ask({ id: 0, method: 'plugin:event|listen', params: { event: 'private', target: { kind: 'Any' } } })
  honest.ask({ id: 1, method: 'hold', params: { channel: '__CHANNEL__:1' }, channels: { channel: 1 } })
  await honest.settles(0)

  return {
    core,
    ran,
    badLines,
    lastLine: () => lastLine,
    takeFault() {
      const taken = fault
      fault = undefined
      return taken
    },
    attach,
    connect,
    async checkHonest() {
      const { canaries } = honest
      const target = { kind: 'Webview', label: 'honest' }
      honest.ask({ method: 'plugin:event|emit_to', params: { target, event: 'private', payload: CANARY } })
      honest.ask({ id: ++lastId, method: 'count' })
      const isServed = (await honest.until(() => honest.canaries > canaries)) && (await honest.settles(lastId))
      if (ran.lost > 0) return 'a call of another frontend or channel was ended'
      return isServed && !honest.closed ? undefined : 'another honest frontend is no longer served'
    },
    close: () => core.close(),
  }
}
