// Replaces `@sallyport/frontend` when a frontend is bundled into a script (`sandbox: 'ses'`): exports the members of the script's
// global `sallyport` under the same names. Its types are those of `@sallyport/frontend`. See docs/reference/security.md.
import type * as frontend from './index.js'

const { sallyport } = globalThis as unknown as { sallyport: typeof frontend }

export const BusError: typeof frontend.BusError = sallyport.BusError
export const Channel: typeof frontend.Channel = sallyport.Channel
export const CommandError: typeof frontend.CommandError = sallyport.CommandError
export const createClient: typeof frontend.createClient = sallyport.createClient
export const emit: typeof frontend.emit = sallyport.emit
export const emitTo: typeof frontend.emitTo = sallyport.emitTo
export const expose: typeof frontend.expose = sallyport.expose
export const getData: typeof frontend.getData = sallyport.getData
export const getLabel: typeof frontend.getLabel = sallyport.getLabel
export const invoke: typeof frontend.invoke = sallyport.invoke
export const isBusError: typeof frontend.isBusError = sallyport.isBusError
export const isCommandError: typeof frontend.isCommandError = sallyport.isCommandError
export const listen: typeof frontend.listen = sallyport.listen
export const once: typeof frontend.once = sallyport.once
export const stream: typeof frontend.stream = sallyport.stream
