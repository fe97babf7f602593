// The commands behind methods of `Bus`.
import { describeCommand, describeName, isBusError } from '@sallyport/protocol/internal/errors'
import { STREAM_HEADER } from '@sallyport/protocol/internal/message'
import { ReceivedStream } from '@sallyport/protocol/internal/rpc'
import type { Authority } from '../acl/authority.js'
import type { AllowList } from '../acl/types.js'
import { getMovableBuffers, markBuffers } from '../api/transfer.js'
import { createNoStreamError } from '../api/frontend-call.js'
import {
  DEFAULT_TIMEOUT_HEADER,
  FRONTEND_HEADER,
  HOST_METHOD,
  type HostPlugin,
  RUN_FUNCTION_METHOD,
} from '../contract/host-core.js'
import type { IncomingCall, RunnableCommand } from '../rpc/call-table.js'
import type { Sessions } from '../rpc/sessions.js'
import type { HostPlugins } from './host-plugins.js'

const hidden = { owner: 'core', allow: '', deny: '' } as const

/** Frontends do not have these commands: to frontends their names are unknown. */
export function createHostCommands(authority: Authority, sessions: Sessions, plugins: HostPlugins): RunnableCommand[] {
  const create = (method: string, run: RunnableCommand['run']): RunnableCommand => ({ ...hidden, method, run })
  return [
    create(HOST_METHOD.call, (args, call) => callFrontend(sessions, args, call)),
    create(HOST_METHOD.stream, (args, call) => callFrontend(sessions, args, call)),
    create(HOST_METHOD.labels, () => sessions.labels),
    create(HOST_METHOD.describe, args => {
      const { label, allow } = args as { label: unknown; allow?: AllowList }
      return plugins.describe(String(label), allow)
    }),
    create(HOST_METHOD.addPlugin, args => plugins.add((args as { plugin: HostPlugin }).plugin)),
    create(HOST_METHOD.removePlugin, args => plugins.remove(String((args as { name: unknown }).name))),
    create(HOST_METHOD.addCapability, args => {
      const { capability } = args as { capability: unknown }
      authority.add({ value: capability, from: 'bus.addCapability', isOption: true })
    }),
    create(HOST_METHOD.removeCapability, args => {
      authority.remove(String((args as { identifier: unknown }).identifier))
    }),
  ]
}

/** Creates the command of one run, with which it calls the functions that the host has for it. @param functions - their name in the host */
export const createRunCommand = (sessions: Sessions, functions: string): RunnableCommand => ({
  ...hidden,
  method: RUN_FUNCTION_METHOD,
  async run(args, { signal }) {
    try {
      return await sessions.callHost(functions, args, { signal }, false)
    } catch (error) {
      if (!isBusError(error)) throw error
      const name = describeName(String((args as { name: unknown }).name))
      error.message = error.message.replace(describeCommand(functions), `function ${name}`)
      throw error
    }
  },
})

/** Calls a function of a frontend for the host. Bytes pass through core without a copy, in both directions. */
async function callFrontend(sessions: Sessions, args: unknown, call: IncomingCall): Promise<unknown> {
  const { request, signal, method } = call
  const { label = '', name = '', traceparent, tracestate, [STREAM_HEADER]: stream } = request.headers
  const { [DEFAULT_TIMEOUT_HEADER]: timeout, [FRONTEND_HEADER]: frontend } = request.headers
  const context = traceparent === undefined ? undefined : { traceparent, tracestate }
  const options = { signal, transfer: getMovableBuffers(args) }
  const result = await sessions.call(
    label,
    frontend === undefined ? undefined : Number(frontend),
    name,
    args,
    options,
    context,
    timeout === undefined ? undefined : Number(timeout),
    stream !== undefined,
  )
  if (result instanceof ReceivedStream) return moveValues(result)
  if (method === HOST_METHOD.stream) throw createNoStreamError(name)
  return markMovable(result)
}

const markMovable = (value: unknown): unknown => markBuffers(value, getMovableBuffers(value))

const moveValues = (stream: ReceivedStream): AsyncIterable<unknown> => ({
  [Symbol.asyncIterator]: () => ({
    next: async () => {
      const { done, value } = await stream.next()
      return done ? { done, value } : { done: false, value: markMovable(value) }
    },
    return: () => stream.return(),
  }),
})
