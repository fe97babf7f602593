// One message through one isolation hook, in a gate like any other. This thread is its frontend, and reads its records as core
// would.
import { MessageChannel } from 'node:worker_threads'
import { Client, throughGate } from '@sallyport/frontend/client'
import {
  BatchReader,
  BusError,
  type CallMessage,
  createLinkEndpoints,
  describeCommand,
  isBusError,
  type Opener,
  openLink,
} from '@sallyport/protocol'
import type { StandaloneGateOptions } from '../host/frontends/gate.js'
import type { ModuleLocation } from '../host/options/location.js'
import { anyObject, check } from '../shared/validate.js'

/** What a frontend would send. */
export interface HookInput {
  cmd: string
  /** Named arguments, or bytes. */
  payload?: object
  options?: { headers?: Record<string, string> }
}

/** What core would get. */
export interface PassedByHook {
  readonly cmd: string
  readonly payload: unknown
  readonly options: { readonly headers: Readonly<Record<string, string>> } | undefined
}

/** `null`: it gave null or undefined. `malformed`: what it gave is no message. */
export interface RejectedByHook {
  readonly passed: false
  readonly why: 'null' | 'threw' | 'timeout' | 'malformed'
}

export type HookOutcome = { readonly passed: true; readonly message: PassedByHook } | RejectedByHook

export type HookOptions = StandaloneGateOptions

const label = 'test'

/**
 * Shows a message to the hook of a Tauri isolation app, in a gate of its own, and gives what comes of it.
 *
 * @param dir the app's folder, with its index.html
 * @throws BusError `InvalidParams` where there is no such app, or its hook can't be loaded; `Timeout` where it does not come back
 * @example
 * const { passed } = await runHook('/app/dist-isolation', { cmd: 'read_note', payload: { path: '../secret' } })
 */
export async function runHook(
  dir: ModuleLocation,
  message: HookInput,
  settings: HookOptions = {},
): Promise<HookOutcome> {
  check('runHook: the message', anyObject, message)
  check('runHook: its settings', anyObject, settings)
  const { cmd, payload, options } = message
  const [{ startStandaloneGate }, { createKeys }] = await Promise.all([
    import('../host/assemble.js'),
    import('../core/session-keys.js'),
  ])
  if (typeof cmd === 'string' && cmd.startsWith('$/')) {
    throw new BusError('InvalidParams', `runHook: ${describeCommand(cmd)} is the bus’s own, and no hook is shown it`)
  }
  let failed!: (error: Error) => void
  const failure = new Promise<never>((_resolve, reject) => (failed = reject))
  failure.catch(() => {})
  const gate = await startStandaloneGate(label, dir, settings, error => failed(error))
  const [coreEnd, coreLink] = createLinkEndpoints('port')
  const [gateEnd, gateLink] = createLinkEndpoints('port')
  const key = new MessageChannel()
  const opener = createKeys(undefined).handOver(key.port1)
  gate.connect(gateEnd, key.port2)
  const client = new Client(throughGate(openLink(coreLink, true), openLink(gateLink, true)), { label, codec: 'json' })
  const core = openLink(coreEnd, false)
  try {
    const passed = new Promise<HookOutcome>(resolve => {
      const read = reading(opener, call => resolve(getOutcome(call)))
      core.receive({ frame: ({ body }) => read(body), closed: () => {} })
    })
    const headers = options?.headers
    const call = client.invoke(cmd, payload as Record<string, unknown>, headers && { headers })
    return await Promise.race([passed, getRejection(call), failure])
  } finally {
    core.close()
    await client.close()
    await gate.stop()
  }
}

function reading(opener: Opener, take: (message: CallMessage) => void): (record: Uint8Array) => void {
  const reader = new BatchReader()
  return record => {
    const { kind, body } = opener.open(record)
    for (const message of reader.read(kind, body)) take(message as CallMessage)
  }
}

const getOutcome = ({ method: cmd, params: payload = {}, headers }: CallMessage): HookOutcome => ({
  passed: true,
  message: { cmd, payload, options: headers && { headers } },
})

/** Core answers nothing here: what settles the call is the gate's. @throws what was wrong with the message */
async function getRejection(call: Promise<unknown>): Promise<HookOutcome> {
  try {
    await call
  } catch (error) {
    if (!isBusError(error, 'Rejected')) throw error
    return { passed: false, why: (error.data as RejectedByHook).why }
  }
  throw new BusError('InternalError', 'The gate has answered in place of core')
}
