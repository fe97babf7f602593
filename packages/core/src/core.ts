// The core itself: what its module defines, and the sessions that call it.
import { openLink, reportError } from '@sallyport/protocol'
import type { Logger } from 'pino'
import { createApp } from './app.js'
import { HOST_PERMITS, createAuthority } from './authority/authority.js'
import { pluginFilesOf } from './authority/plugin-files.js'
import { createRegistry, type CommandRegistry, type RunnableCommand } from './commands.js'
import type { Attachment, CoreOptions, CoreReport } from './control.js'
import type { CoreDefinition } from './define.js'
import { createEventCommands } from './event-commands.js'
import { EventRouter } from './events.js'
import { createHostCommands } from './host-commands.js'
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
  { pattern, acl }: CoreOptions,
  getLog: () => Logger,
  report: (report: CoreReport) => void,
): Promise<Core> {
  const router = new EventRouter()
  const pool = createPool()
  const registry = createRegistry(definition, createEventCommands(router), pool)
  const warn = (text: string): void => getLog().warn(text)
  const authority = createAuthority({ acl, registry, pattern, pluginFiles: pluginFilesOf(definition), warn })
  const hostRegistry: CommandRegistry = new Map([...registry, ...createHostCommands(authority).map(named)])
  const app = createApp(router, getLog)
  const keys = pattern === 'isolation' ? (await import('./keys.js')).createKeys() : undefined
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
      // A key port without keys throws: a session that was to be sealed never starts in clear.
      const opener = keyPort && keys!.handTo(keyPort, cipher)
      const permits = label === undefined ? HOST_PERMITS : authority.permitsOf(label)
      const link = openLink(end, false)
      const commands = label === undefined ? hostRegistry : registry
      sessions.add(new Session({ label, codec, link, opener, permits, registry: commands, router, app, report: told }))
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

const named = (command: RunnableCommand): [string, RunnableCommand] => [command.method, command]
