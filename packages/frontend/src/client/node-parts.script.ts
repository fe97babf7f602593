// `#node-parts` for scripts in a VM of QuickJS, which has no async contexts.
import { NodeClientQueue } from './node-client-queue.js'

export const createQueue = (...args: ConstructorParameters<typeof NodeClientQueue>): NodeClientQueue =>
  new NodeClientQueue(...args)

export { NodeFunctionRegistry as FunctionRegistry } from './node-functions.js'
