// `#node-parts` for browsers: what each client has.
import { ClientQueue } from './client-queue.js'

export const createQueue = (...args: ConstructorParameters<typeof ClientQueue>): ClientQueue => new ClientQueue(...args)

export { FunctionRegistry } from './exposed-functions.js'
