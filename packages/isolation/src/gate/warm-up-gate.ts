// Calls that pass a gate whose frontend and core are in this thread. V8 compiles a function when it is first called, and interprets it at
// first: the first calls of a frontend would take several times as long.
import { codecs } from '@sallyport/protocol/internal/codec'
import { RECORD_DIRECTION } from '@sallyport/protocol/internal/contract'
import { createLinkEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { SamplingTimer } from '@sallyport/protocol/internal/util'
import { createSealer, createSessionSecret } from '@sallyport/protocol/internal/records'
import { createHook } from '../hook/hook.js'
import { createHookWatch } from '../hook/hook-watch.js'
import { serveGate } from './gate.js'

const CALLS = 30

/** Resolves after some milliseconds of work in pieces of one call. */
export async function warmUpGate(): Promise<void> {
  const [near, far] = createLinkEndpoints('ring', 'never')
  const ignore = (): void => {}
  const session = new Uint8Array(16)
  const secret = createSessionSecret(new Uint8Array(32), session)
  serveGate({
    link: openLink(far, false),
    sealer: createSealer({ session, secret, direction: RECORD_DIRECTION }),
    hook: createHook(message => message),
    hookTimer: new SamplingTimer(undefined),
    sealTimer: new SamplingTimer(undefined),
    watch: createHookWatch(new SharedArrayBuffer(4)),
    rejected: ignore,
    closed: ignore,
  })
  const client = openLink(near, true)
  const { json } = codecs
  let onRecord = ignore
  client.receive({ frame: () => onRecord(), closed: () => onRecord() })
  for (let id = 1; id <= CALLS; id++) {
    const passed = new Promise<void>(resolve => (onRecord = resolve))
    const call = json.encode({ jsonrpc: '2.0', id, method: 'greet', params: { name: 'World' } })
    client.send({ kind: json.kind, body: json.join([call as string]) })
    await passed
  }
  client.close()
}
