// The parts of a client that are others in pages and scripts. `#node-parts` is this file, `node-parts.script.ts` or `node-parts.browser.ts`.
import type { CodecName } from '@sallyport/protocol/internal/codec'
import type { Link } from '@sallyport/protocol/internal/wire'
import type { CallCount, ClientQueue } from './client-queue.js'
import { CallerQueue, NodeClientQueue, type NodeFlowOptions } from './node-client-queue.js'

export function createQueue(link: Link, codec: CodecName, pending: CallCount, options: NodeFlowOptions): ClientQueue {
  const { callers } = options
  if (callers) return new CallerQueue(link, codec, pending, { ...options, callers })
  return new NodeClientQueue(link, codec, pending, options)
}

export { NodeFunctionRegistry as FunctionRegistry } from './node-functions.js'
