// What the host asks of core over its own link, as commands. Frontends do not have them: to them their names are unknown.
import type { Authority } from './authority/authority.js'
import type { RunnableCommand } from './commands.js'
import type { Call } from './call.js'
import { HOST_METHOD } from './host-methods.js'
import type { Sessions } from './sessions.js'
import { giveAway, movable } from './transfer.js'

interface CapabilityArguments {
  capability?: unknown
  identifier?: unknown
  labels?: readonly string[]
}

export function createHostCommands(authority: Authority, sessions: Sessions): RunnableCommand[] {
  const command = (method: string, run: (args: CapabilityArguments) => unknown): RunnableCommand => ({
    method,
    owner: 'core',
    allow: '',
    deny: '',
    run: run as RunnableCommand['run'],
  })
  return [
    {
      method: HOST_METHOD.call,
      owner: 'core',
      allow: '',
      deny: '',
      run: (args, call) => callFrontend(sessions, args, call),
    },
    command(HOST_METHOD.addCapability, ({ capability }) => {
      authority.add({ value: capability, from: 'bus.addCapability' })
      return authority.isDecided
    }),
    command(HOST_METHOD.removeCapability, ({ identifier }) => {
      authority.remove(String(identifier))
      return authority.isDecided
    }),
    command(HOST_METHOD.explain, ({ labels = [] }) => authority.explain(labels)),
  ]
}

/** Bytes pass through core without a copy, in both directions. */
async function callFrontend(sessions: Sessions, args: unknown, { request, signal }: Call): Promise<unknown> {
  const { label = '', name = '', traceparent, tracestate } = request.headers
  const context = traceparent === undefined ? undefined : { traceparent, tracestate }
  const result = await sessions.call(label, name, args, { signal, transfer: movable(args) }, context)
  return giveAway(result, movable(result))
}
