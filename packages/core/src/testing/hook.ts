// Sends one message through an isolation hook in a gate of its own. This thread is its frontend, and opens its records as core would.
import { MessageChannel } from 'node:worker_threads'
import { LinkClient } from '@sallyport/frontend/internal'
import { BatchReader } from '@sallyport/protocol/internal/codec'
import { BusError, describeCommand, fromErrorObject } from '@sallyport/protocol/internal/errors'
import { createTriangleEndpoints, openLink } from '@sallyport/protocol/internal/link'
import { NODE_METHOD } from '@sallyport/protocol/internal/message'
import { createDeferred } from '@sallyport/protocol/internal/util'
import type { CallMessage, RejectedParams } from '@sallyport/protocol/internal/message'
import type { Opener } from '@sallyport/protocol/internal/records'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { ModuleLocation } from '../shared/locations.js'
import type { HookOptions } from '../options/types.js'
import { anyObject, check } from '../shared/validate.js'

/** A message as a frontend sends it. */
export interface HookInput {
  /** The command, such as `greet` or `plugin:event|emit`. */
  cmd: string
  /** Named arguments, or bytes. */
  payload?: object
  /** The headers of the call. */
  options?: { headers?: Record<string, string> }
}

/** The decision of a hook: the message as core receives it, or the reason that it receives nothing. */
export type HookOutcome =
  | {
      readonly passed: true
      readonly message: {
        readonly cmd: string
        readonly payload: unknown
        readonly options: { readonly headers: Readonly<Record<string, string>> } | undefined
      }
    }
  | {
      readonly passed: false
      /** `null`: the hook returned null or undefined. `malformed`: it returned an invalid message. */
      readonly why: 'null' | 'threw' | 'timeout' | 'malformed'
    }

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
  const { cmd, payload, options } = message
  const { resolveHook, startStandaloneGate } = await import('../host/start-bus.js')
  const { createSessionKeys } = await import('../core-thread/session-keys.js')
  if (typeof cmd === 'string' && cmd.startsWith('$/')) {
    throw new BusError('InvalidParams', `runHook: ${describeCommand(cmd)} belongs to the bus: hooks do not see it`)
  }
  const failure = createDeferred<never>()
  failure.promise.catch(() => {})
  const gate = startStandaloneGate(LABEL, await resolveHook(dir, settings), error => failure.reject(error))
  const endpoints = createTriangleEndpoints('ring', 'never')
  const key = new MessageChannel()
  const opener = createSessionKeys()(key.port1)
  gate.connect(0, endpoints.gate, key.port2)
  const client = new LinkClient(openLink(endpoints.frontend, true), { label: LABEL, codec: 'json' })
  const core = openLink(endpoints.core, false)
  try {
    const outcome = receiveOutcome(core, opener)
    const headers = options?.headers
    // Nothing answers the call: it rejects only if it cannot be sent.
    const call = client.invoke(cmd, payload as Record<string, unknown>, headers && { headers })
    return await Promise.race([outcome, call as Promise<never>, failure.promise])
  } finally {
    core.close()
    await client.close()
    await gate.stop()
  }
}

/** Resolves with the first call that passes the hook, or with its rejection. Rejects with any other error of the gate. */
function receiveOutcome(link: Link, opener: Opener): Promise<HookOutcome> {
  const reader = new BatchReader()
  return new Promise((resolve, reject) => {
    const receive = (record: Uint8Array): void => {
      const { kind, body } = opener.open(record)
      for (const message of reader.read(kind, body)) {
        const { method: cmd, params: payload = {}, headers } = message as CallMessage
        if (cmd !== NODE_METHOD.rejected) {
          resolve({ passed: true, message: { cmd, payload, options: headers && { headers } } })
          continue
        }
        const error = fromErrorObject((payload as RejectedParams).error)
        if (error.reason === 'Rejected')
          resolve({ passed: false, why: (error.data as Extract<HookOutcome, { passed: false }>).why })
        else reject(error)
      }
    }
    link.receive({ frame: ({ body }) => receive(body as Uint8Array), closed: () => {} })
  })
}
