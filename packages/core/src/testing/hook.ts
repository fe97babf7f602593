// Sends one message through an isolation hook in a gate of its own. This thread is its frontend, and opens its records as core would.
import { MessageChannel } from 'node:worker_threads'
import { Client, throughGate } from '@sallyport/frontend/client'
import {
  BatchReader,
  BusError,
  type CallMessage,
  createLinkEndpoints,
  describeCommand,
  isBusError,
  type Link,
  type Opener,
  openLink,
} from '@sallyport/protocol'
import type { StandaloneGateOptions } from '../host/frontends/gate.js'
import type { ModuleLocation } from '../host/options/location.js'
import { anyObject, check } from '../shared/validate.js'

/** A message as a frontend sends it. */
export interface HookInput {
  cmd: string
  /** Named arguments, or bytes. */
  payload?: object
  options?: { headers?: Record<string, string> }
}

/** A message as core receives it. */
export interface PassedByHook {
  readonly cmd: string
  readonly payload: unknown
  readonly options: { readonly headers: Readonly<Record<string, string>> } | undefined
}

/** `null`: the hook returned null or undefined. `malformed`: it returned an invalid message. */
export interface RejectedByHook {
  readonly passed: false
  readonly why: 'null' | 'threw' | 'timeout' | 'malformed'
}

export type HookOutcome = { readonly passed: true; readonly message: PassedByHook } | RejectedByHook

export type HookOptions = StandaloneGateOptions

const LABEL = 'test'

/**
 * Shows a message to the hook of a Tauri isolation app, and returns the outcome.
 *
 * @param dir - the directory of the app, with its index.html
 * @throws {BusError} InvalidParams if there is no such app, or its hook cannot be loaded; Timeout if the hook does not return
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
    throw new BusError('InvalidParams', `runHook: ${describeCommand(cmd)} belongs to the bus: hooks do not see it`)
  }
  let onFailure!: (error: Error) => void
  const failure = new Promise<never>((_resolve, reject) => (onFailure = reject))
  failure.catch(() => {})
  const gate = await startStandaloneGate(LABEL, dir, settings, error => onFailure(error))
  const [coreEndpoint, coreLink] = createLinkEndpoints('port')
  const [gateEndpoint, gateLink] = createLinkEndpoints('port')
  const key = new MessageChannel()
  const opener = createKeys(undefined).handOver(key.port1)
  gate.connect(gateEndpoint, key.port2)
  const link = throughGate(openLink(coreLink, true), openLink(gateLink, true))
  const client = new Client(link, { label: LABEL, codec: 'json' })
  const core = openLink(coreEndpoint, false)
  try {
    const passed = receiveCall(core, opener)
    const headers = options?.headers
    const call = client.invoke(cmd, payload as Record<string, unknown>, headers && { headers })
    return await Promise.race([passed, getRejection(call), failure])
  } finally {
    core.close()
    await client.close()
    await gate.stop()
  }
}

/** Resolves with the first call that passes the hook. */
function receiveCall(link: Link, opener: Opener): Promise<HookOutcome> {
  const reader = new BatchReader()
  return new Promise(resolve => {
    const frame = (record: Uint8Array): void => {
      const { kind, body } = opener.open(record)
      for (const message of reader.read(kind, body)) {
        const { method: cmd, params: payload = {}, headers } = message as CallMessage
        resolve({ passed: true, message: { cmd, payload, options: headers && { headers } } })
      }
    }
    link.receive({ frame: ({ body }) => frame(body), closed: () => {} })
  })
}

/** Resolves when the gate rejects the call: nothing else answers it. @throws errors in the message */
async function getRejection(call: Promise<unknown>): Promise<HookOutcome> {
  try {
    await call
  } catch (error) {
    if (!isBusError(error, 'Rejected')) throw error
    return { passed: false, why: (error.data as RejectedByHook).why }
  }
  throw new BusError('InternalError', 'The gate answered a call of core')
}
