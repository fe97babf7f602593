// A gate over in-memory links, with the messages that it seals for core and the requests that it has core reject.
import { expect } from 'vitest'
import { BatchReader } from '@sallyport/protocol/internal/codec'
import { LocalLink } from '@sallyport/protocol/internal/link'
import { NODE_METHOD } from '@sallyport/protocol/internal/message'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { FRAME_KIND, type Link } from '@sallyport/protocol/internal/wire'
import { createOpener, createSealer, createSessionSecret } from '@sallyport/protocol/internal/records'
import { serveGate } from '../src/gate/gate.js'
import { createHookWatch } from '../src/hook/hook-watch.js'
import { createHook, type HookFunction } from '../src/hook/hook.js'

const session = new Uint8Array(16).fill(1)
const keys = { secret: createSessionSecret(new Uint8Array(32).fill(2), session), session, direction: 'test' }

/** @param deadline - milliseconds that an asynchronous hook can take */
export function setUp(
  hook: HookFunction | null,
  deadline = 60_000,
  timers = { hook: new SamplingTimer(), seal: new SamplingTimer() },
) {
  const [frontendLink, gateLink] = LocalLink.createPair()
  const opener = createOpener(keys)
  const reader = new BatchReader()
  const sealed: any[] = []
  const responses: any[] = []
  const rejected: string[] = []
  /** Number of messages in each record. */
  const records: number[] = []
  let [closed, ended] = [false, false]
  frontendLink.receive({
    frame({ kind, body }) {
      expect(kind).toBe(FRAME_KIND.sealed)
      const record = opener.open(body as Uint8Array)
      const messages = reader.read(record.kind, record.body) as any[]
      expect(record.count).toBe(messages.length)
      records.push(record.count)
      for (const message of messages) {
        if (message.method === NODE_METHOD.rejected) responses.push(message.params)
        else sealed.push(message)
      }
    },
    closed: () => (closed = true),
  })
  serveGate({
    link: gateLink,
    sealer: createSealer(keys),
    hook: createHook(hook, { deadline }),
    hookTimer: timers.hook,
    sealTimer: timers.seal,
    watch: createHookWatch(undefined),
    rejected: (command, why) => rejected.push(`${command}: ${why}`),
    closed: () => (ended = true),
  })
  return { frontendLink, sealed, records, responses, rejected, isClosed: () => closed, hasEnded: () => ended }
}

export const call = (id: number, method = 'm', params: object = {}) => ({ jsonrpc: '2.0' as const, id, method, params })
export const send = (link: Link, ...messages: object[]): void =>
  link.send({
    kind: FRAME_KIND.json,
    body: messages.length === 1 ? JSON.stringify(messages[0]) : JSON.stringify(messages),
  })
/** Resolves once messages have passed the gate. */
export const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5))
export const ids = (messages: { id: unknown }[]): unknown[] => messages.map(({ id }) => id)
