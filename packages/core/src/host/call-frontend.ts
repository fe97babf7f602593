// How the host calls a function that a frontend exposes: through commands of core, with label and name as headers.
import { invokeAs, type InvokeOptions, type Stream, streamAs } from '@sallyport/frontend/internal'
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { BusError } from '@sallyport/protocol/internal/errors'
import { checkFrontendCall } from '../api/frontend-call.js'
import { type FrontendResult, toFrontendResult } from '../api/frontend-proxy.js'
import { CODEC_HEADER, DEFAULT_TIMEOUT_HEADER, FRONTEND_HEADER, HOST_METHOD } from '../contract/host-core.js'
import type { Host } from './host.js'
import type { LocalCore } from './local-core.js'
import { nameFunction } from './name-function.js'

interface FrontendCall {
  readonly label: string
  readonly name: string
  readonly args: object | undefined
  readonly options: InvokeOptions | undefined
}

/**
 * Arguments and answer have the codec of the frontend, not of the host's link, so that a value keeps one codec all the way. The codec of
 * a frontend in another process is not known here: its values have the codec of the bus on the first half of their way.
 */
export function callFrontend(
  { core, frontends, options: { codec } }: Host<LocalCore>,
  label: string,
  name: string,
  args: object | undefined,
  options: InvokeOptions,
): Promise<unknown> {
  const { target, headers } = getAddress(frontends, codec, label, name)
  if (target === codec) return core.client.invoke(HOST_METHOD.call, args, { ...options, headers })
  return invokeAs(core.client, target, HOST_METHOD.call, args, { ...options, headers })
}

/** Returns the codec of a call, and the headers that say to whom it goes: whoever has the label now. */
function getAddress(frontends: Host<LocalCore>['frontends'], codec: CodecName, label: string, name: string) {
  const frontend = frontends.get(label)
  const target = frontend?.codec ?? codec
  const headers = {
    ...{ label, name },
    ...(frontend && { [FRONTEND_HEADER]: String(frontend.id) }),
    ...(target !== codec && { [CODEC_HEADER]: target }),
  }
  return { target, headers }
}

/** Returns the stream that a function returns. The function is called when the first value is requested. */
export const streamFrontend = (host: Host<LocalCore>, call: FrontendCall): Stream =>
  openStream(host, HOST_METHOD.stream, call, () => {})

/** Calls a function of which it is not known whether its result is a stream. */
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
  { core, frontends, options: { codec, calls } }: Host<LocalCore>,
  command: string,
  { label, name, args, options }: FrontendCall,
  answered: (result: { value: unknown }) => void,
): Stream {
  const { target, headers: address } = getAddress(frontends, codec, label, name)
  // The client has deadlines for whole streams. That of the opening is core's.
  const timeout = options?.timeout === undefined && calls.timeout
  const headers = { ...address, ...(timeout && { [DEFAULT_TIMEOUT_HEADER]: String(timeout) }) }
  let isStream = false
  return streamAs(
    core.client,
    target,
    command,
    args,
    { ...options, headers },
    {
      ended: () => (isStream = true),
      answered: value => !isStream && answered({ value }),
      failed: error => explainFailure(frontends, error, command, label, name),
    },
  )
}

/** Returns a stream with a value before it. */
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
export function explainFailure(
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
