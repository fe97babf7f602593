// How the host calls a function that a frontend exposes: through commands of core, with label and name as headers.
import { Channel, type InvokeOptions, type Stream, streamWith } from '@sallyport/frontend/internal'
import { type CodecName, codecs } from '@sallyport/protocol/internal/codec'
import {
  BusError,
  describeCommand,
  describeName,
  hideInternalFrames,
  isBusError,
  toNames,
} from '@sallyport/protocol/internal/errors'
import {
  type CallOptions,
  checkDeadline,
  checkOptionNames,
  checkNamedArguments,
  isBytes,
  RUN_METHOD,
  type TransferOptions,
  type WaitOptions,
} from '@sallyport/protocol/internal/message'
import { encodeMessage, isStream } from '@sallyport/protocol/internal/rpc'
import { MAX_LABEL_LENGTH } from '@sallyport/protocol/internal/wire'
import { createGlobMatcher } from '../acl/identifier.js'
import { checkFrontendCall, describeFunction, type FrontendResult, toFrontendResult } from '../api/frontend-proxy.js'
import { DEFAULT_TIMEOUT_HEADER, FRONTEND_HEADER, HOST_METHOD } from '../contract/host-core.js'
import { createEnd } from '../life/judge.js'
import type { ServedCalls } from '../life/reporting/served-calls.js'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'

type Options = CallOptions & TransferOptions

interface FrontendCall {
  readonly label: string
  readonly name: string
  readonly args: object | undefined
  readonly options: InvokeOptions | undefined
}

export async function callFrontend(
  { core, frontends }: Host<LocalCore>,
  label: string,
  name: string,
  args: object | undefined,
  options: InvokeOptions,
): Promise<unknown> {
  checkOpen(frontends, label)
  return core.client.invoke(HOST_METHOD.call, args, { ...options, headers: getAddress(frontends, label, name) })
}

/** Finds arguments that no call can send, before there is one. @throws what the codec throws; {BusError} InvalidParams for too many bytes */
export function checkSendableArguments(args: object, codec: CodecName): void {
  const id = Number.MAX_SAFE_INTEGER
  const headers = { label: ''.padEnd(MAX_LABEL_LENGTH), name: RUN_METHOD, [FRONTEND_HEADER]: String(id) }
  encodeMessage(codecs[codec], { jsonrpc: '2.0', id, method: HOST_METHOD.call, params: args, headers }, true)
}

/** Returns the headers that say to whom a call goes: whoever has the label now. */
function getAddress(frontends: Host<LocalCore>['frontends'], label: string, name: string) {
  const frontend = frontends.get(label)
  return { label, name, ...(frontend && { [FRONTEND_HEADER]: String(frontend.id) }) }
}

/** @throws {BusError} Disconnected for a frontend that the host closes */
function checkOpen(frontends: Host<LocalCore>['frontends'], label: string): void {
  if (!frontends.get(label)?.isClosing) return
  throw createEnd(`The frontend ${describeName(label)}`, 'Disconnected', 'is being closed', { delivered: 'no' })
}

export const streamFrontend = (host: Host<LocalCore>, call: FrontendCall): Stream =>
  openStream(host, HOST_METHOD.stream, call, () => {})

export function callOrStream(host: Host<LocalCore>, call: FrontendCall): FrontendResult {
  let single: { value: unknown } | undefined
  const stream = openStream(host, HOST_METHOD.call, call, result => (single = result))
  const answer = async (): Promise<unknown> => {
    checkFrontendCall(call.name, call.args, call.options)
    const first = await stream.next()
    return first.done && single ? single.value : continueWith(first, stream)
  }
  return toFrontendResult(call.name, answer(), () => void stream.return())
}

/** @param answered - gets the result if no value of a stream and no end came before it */
function openStream(
  { core, frontends, options: { calls } }: Host<LocalCore>,
  command: string,
  { label, name, args, options }: FrontendCall,
  answered: (result: { value: unknown }) => void,
): Stream {
  // The client has deadlines for whole streams. That of the opening is core's.
  const timeout = options?.timeout === undefined && calls.timeout
  const headers = {
    ...getAddress(frontends, label, name),
    ...(timeout && { [DEFAULT_TIMEOUT_HEADER]: String(timeout) }),
  }
  let isStream = false
  let callEnded: ReturnType<ServedCalls['begin']> | undefined
  return streamWith(
    core.client,
    command,
    args,
    { ...options, headers },
    {
      begins() {
        checkOpen(frontends, label)
        callEnded = frontends.get(label)?.served.begin(name)
      },
      ended: () => (isStream = true),
      answered(value) {
        callEnded?.()
        if (!isStream) answered({ value })
      },
      failed(error) {
        callEnded?.(error)
        return explainFailure(frontends, error, command, label, name)
      },
    },
  )
}

function continueWith(first: IteratorResult<unknown, void>, stream: Stream): AsyncIterableIterator<unknown> {
  let next: typeof first | undefined = first
  const iterator: AsyncIterableIterator<unknown> = {
    next: () => {
      const result = next ? Promise.resolve(next) : stream.next()
      next = undefined
      return result
    },
    return: () => stream.return(),
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

/** Returns the error of a call with the function's name in its text, and the error for which the frontend has ended as its cause. */
function explainFailure(
  frontends: Host<LocalCore>['frontends'],
  failure: BusError,
  command: string,
  label: string,
  name: string,
): BusError {
  const error = nameFunction(failure, command, name)
  const end = frontends.getEnd(label)
  // A cause does not cross the link to core.
  if (error.reason === 'Disconnected' && end?.error && error.message.endsWith(end.why)) error.cause = end.error
  return error
}

type CallAllOptions = WaitOptions & { labels?: string | readonly string[] }

const OPTION_NAMES = toNames<CallAllOptions>({ labels: true, signal: true, timeout: true })

/** Returns a function that selects the frontends to call. @throws {BusError} InvalidParams; Cancelled or Timeout if the signal is aborted */
export function checkCallAll(name: string, args?: object, options?: CallAllOptions): (label: string) => boolean {
  if (typeof name !== 'string') {
    throw new BusError('InvalidParams', 'bus.callAll takes the name of a function that frontends expose')
  }
  checkOptionNames(name, options, OPTION_NAMES, args, describeFunction)
  if (args !== undefined && args !== null && !isBytes(args)) checkArguments(name, args)
  checkDeadline(describeFunction(name), options ?? {})
  const { labels = '*' } = options ?? {}
  const globs: readonly unknown[] = Array.isArray(labels) ? labels : [labels]
  if (!globs.every(glob => typeof glob === 'string')) {
    throw new BusError('InvalidParams', '`labels` of bus.callAll must be a glob of labels, or an array of globs')
  }
  const matchers = globs.map(createGlobMatcher)
  return label => matchers.some(matches => matches(label))
}

function checkArguments(name: string, args: object): void {
  checkNamedArguments(name, args)
  for (const [key, value] of Object.entries(args)) {
    const what = isStream(value) ? 'stream' : value instanceof Channel ? 'channel' : undefined
    if (!what) continue
    const remedy = `Call each frontend with bus.call and a ${what} of its own`
    const text = `The argument ${JSON.stringify(key)} of ${describeName(name)} is a ${what}, which is for one frontend. ${remedy}`
    throw new BusError('InvalidParams', text)
  }
}

/** Replaces the internal command in an error text by the function's name, which is all that the caller knows. */
export function nameFunction(error: BusError, method: string, name: string): BusError {
  const message = error.message.replace(describeCommand(method), describeName(name))
  if (message === error.message) return error
  const named = new BusError(error.reason, message, { data: error.data, cause: error.cause })
  return hideInternalFrames(named) as BusError
}

export async function callFunction(
  host: Host<LocalCore>,
  label: string,
  name: string,
  args?: object,
  options?: Options,
): Promise<unknown> {
  checkCall('bus.call', label, name, args, options)
  const { timeout = host.options.calls.timeout ?? false } = options ?? {}
  const ended = host.frontends.get(label)?.served.begin(name)
  try {
    const result = await callFrontend(host, label, name, args, { ...options, timeout })
    ended?.()
    return result
  } catch (error) {
    ended?.(error)
    throw isBusError(error) ? explainFailure(host.frontends, error, HOST_METHOD.call, label, name) : error
  }
}

export const HOW_TO_INVOKE = 'Call a command with a client: await (await bus.connect(label)).invoke(name, args)'

/** @throws {BusError} InvalidParams */
export function checkCall(
  where: string,
  label: unknown,
  name: unknown,
  args: object | undefined,
  options: Options | undefined,
): void {
  if (typeof label !== 'string' || typeof name !== 'string') {
    const text = `${where} takes the label of a frontend and the name of a function that it exposes`
    throw new BusError('InvalidParams', `${text}. ${HOW_TO_INVOKE}`)
  }
  checkFrontendCall(name, args, options)
}
