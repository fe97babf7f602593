// Names and values by OpenTelemetry's semantic conventions 1.45 for RPC and JSON-RPC, where those of RPC are stable:
// https://opentelemetry.io/docs/specs/semconv/rpc/. What is ours begins with `sallyport.`.
import type { Attributes } from '@opentelemetry/api'
import type { CallTrace } from '@sallyport/protocol'

/** Of a span and of its measured duration. A name that nobody knows is not told: whoever calls it chose it. */
export const callAttributes = ({ command, error }: CallTrace): Attributes => ({
  'rpc.system.name': 'jsonrpc',
  'rpc.method': isUnknown(error) ? '_OTHER' : command,
  ...(error && { 'rpc.status_code': String(error.code), 'error.type': String(error.code) }),
})

/** Of a span alone. */
export const spanAttributes = ({ id, label, codec, stream }: CallTrace): Attributes => ({
  'jsonrpc.protocol.version': '2.0',
  'jsonrpc.request.id': String(id),
  'sallyport.label': label,
  'sallyport.codec': codec,
  'sallyport.stream': stream,
})

/** That the command is not known comes out only once it is called. */
export const isUnknown = (error: CallTrace['error']): boolean => error?.reason === 'MethodNotFound'

/** What a span is called where `rpc.method` says nothing. */
export const UNKNOWN_NAME = 'jsonrpc'
