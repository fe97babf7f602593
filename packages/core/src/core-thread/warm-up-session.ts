// Calls that a session answers, over a ring whose other end is in this thread: see host/start-bus.ts.
import type { Opener, Sealer } from '@sallyport/protocol/internal/records'
import { codecs } from '@sallyport/protocol/internal/codec'
import { RECORD_DIRECTION } from '@sallyport/protocol/internal/contract'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { FRAME_KIND } from '@sallyport/protocol/internal/wire'
import { HOST_PERMITS } from '../acl/authority.js'
import type { App } from '../api/app.js'
import { EventRouter } from '../events/router.js'
import { ConfirmRequests } from '../rpc/approval.js'
import type { RunnableCommand } from '../rpc/call-table.js'
import { Session } from '../rpc/session.js'
import { AnswerScheduler } from '../rpc/writer.js'
import { createCountsMemory, createLatency, SessionMetrics } from '../shared/metrics.js'

const CALLS = 30

const greet: RunnableCommand = { owner: 'app', method: 'greet', allow: '', deny: '', run: () => 'Hello, World!' }

/** Resolves after some milliseconds of work in pieces of one call. @param isIsolated - true for calls that come sealed, as from a gate */
export async function warmUpSession(isIsolated: boolean): Promise<void> {
  const keys = isIsolated ? await createKeys() : undefined
  const [near, far] = createLinkEndpoints('ring', 'never')
  const ignore = (): void => {}
  const session = new Session({
    ...{
      label: 'warm-up',
      isUntraced: true,
      codec: 'json',
      link: openLink(near, false),
      opener: keys?.opener,
      hasDeadlines: false,
    },
    permits: HOST_PERMITS,
    registry: new Map([[greet.method, greet]]),
    router: new EventRouter(),
    // Only a handler reads it.
    app: {} as App,
    scheduler: new AnswerScheduler(),
    confirmRequests: new ConfirmRequests(ignore),
    metrics: new SessionMetrics(createCountsMemory(), createLatency),
    events: {
      ...{ denied: ignore, warned: ignore, slow: ignore, fault: ignore, dropped: ignore },
      ...{ resourceFailed: ignore, closed: ignore, interrupted: ignore, mistaken: ignore },
    },
  })
  const client = openLink(far, true)
  const { json } = codecs
  let onAnswer = ignore
  client.receive({ frame: () => onAnswer(), closed: () => onAnswer() })
  for (let id = 1; id <= CALLS; id++) {
    const answered = new Promise<void>(resolve => (onAnswer = resolve))
    const call = json.encode({ jsonrpc: '2.0', id, method: greet.method, params: { name: 'World' } })
    const frame = { kind: json.kind, body: json.join([call as string]) }
    client.send(keys ? { kind: FRAME_KIND.sealed, body: keys.sealer.seal(frame.kind, frame.body, 1) } : frame)
    await answered
  }
  client.close()
  await session.close()
}

async function createKeys(): Promise<{ opener: Opener; sealer: Sealer }> {
  const { createOpener, createSealer, createSessionSecret } = await import('@sallyport/protocol/internal/records')
  const session = new Uint8Array(16)
  const secret = createSessionSecret(new Uint8Array(32), session)
  const key = { session, secret, direction: RECORD_DIRECTION }
  return { opener: createOpener(key), sealer: createSealer(key) }
}
