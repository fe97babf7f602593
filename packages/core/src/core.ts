// The core itself: what its module defines, and the sessions that call it.
import {
  RECORD_DIRECTION,
  createOpener,
  createSessionSecret,
  openLink,
  reportError,
  type Opener,
  type SessionKey,
} from '@sallyport/protocol'
import { createPlainOpener } from '@sallyport/protocol/internal'
import { randomBytes } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import type { Logger } from 'pino'
import { createApp } from './app.js'
import { HOST_PERMITS, createAuthority } from './authority/authority.js'
import { createRegistry } from './commands.js'
import type { Attachment, CoreOptions, CoreReport } from './control.js'
import type { CoreDefinition } from './define.js'
import { createEventCommands } from './event-commands.js'
import { EventRouter } from './events.js'
import { createPool } from './pool.js'
import { Session, type SessionReport } from './session.js'

export interface Core {
  attach(attachment: Attachment): void
  /** Takes no further call; resolves once those that run have ended. */
  drain(): Promise<void>
  /** Closes every link; resolves once what was answered has gone out. */
  close(): Promise<void>
}

/** @throws BusError `InvalidParams` where the definition or a capability is wrong, and what a `setup` throws. */
export async function createCore(
  definition: CoreDefinition,
  { pattern, capabilities }: CoreOptions,
  getLog: () => Logger,
  report: (report: CoreReport) => void,
): Promise<Core> {
  const router = new EventRouter()
  const pool = createPool()
  const registry = createRegistry(definition, createEventCommands(router), pool)
  const authority = createAuthority(capabilities, registry, pattern)
  const app = createApp(router, getLog)
  const master = randomBytes(32)
  const sessions = new Set<Session>()
  for (const plugin of definition.plugins ?? []) await plugin.setup?.(app)
  await definition.setup?.(app)

  const told: SessionReport = {
    denied(label, command) {
      report({ type: 'denied', label, command: command.slice(0, 200) })
    },
    fault(label, error) {
      report({ type: 'fault', label, error: reportError(error) })
    },
    closed: session => sessions.delete(session),
  }

  return {
    attach({ label, codec, end, keyPort, cipher }: Attachment): void {
      const sealed = keyPort && handKeyTo(keyPort, master)
      const opener = sealed && !cipher ? createPlainOpener() : sealed
      const permits = label === undefined ? HOST_PERMITS : authority.permitsOf(label)
      const link = openLink(end, false)
      sessions.add(new Session({ label, codec, link, opener, permits, registry, router, app, report: told }))
    },
    async drain(): Promise<void> {
      await Promise.all([...sessions].map(session => session.drain()))
    },
    async close(): Promise<void> {
      await Promise.all([...sessions].map(session => session.close()))
      await pool.close()
    },
  }
}

/** Every session has a key of its own, so that no gate can seal for another frontend. */
function handKeyTo(gate: MessagePort, master: Uint8Array): Opener {
  const session = new Uint8Array(randomBytes(16))
  const secret = createSessionSecret(master, session)
  const key: SessionKey = { session, secret }
  gate.postMessage(key)
  gate.close()
  return createOpener({ session, secret, direction: RECORD_DIRECTION })
}
