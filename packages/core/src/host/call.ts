// `bus.call`: over the host's own link, as a command of core that frontends don't have. Its arguments are those of the function;
// which one it is goes beside them, so that bytes are found where they stand.
import { Channel, type Client } from '@sallyport/frontend/client'
import { BusError, describeCommand, describeName, isBusError } from '@sallyport/protocol'
import { checkFrontendCall, type FrontendCallOptions } from '../frontend-call.js'
import { HOST_METHOD } from '../host-methods.js'

export interface FrontendCall {
  label: string
  name: string
  args: object | undefined
  options: FrontendCallOptions | undefined
}

export async function callFrontend<T>(client: Client, { label, name, args, options = {} }: FrontendCall): Promise<T> {
  if (typeof label !== 'string' || typeof name !== 'string') {
    throw new BusError('InvalidParams', 'bus.call takes a frontend’s label, and the name of a function that it exposes')
  }
  checkFrontendCall(name, args, options, Channel)
  const headers = { label, name }
  try {
    return await client.invoke<T>(HOST_METHOD.call, args as Record<string, unknown>, { ...options, headers })
  } catch (error) {
    throw isBusError(error) ? named(error, name) : error
  }
}

/** The caller knows the function, and not what it is called through. */
function named(error: BusError, name: string): BusError {
  const message = error.message.replace(describeCommand(HOST_METHOD.call), describeName(name))
  return message === error.message
    ? error
    : new BusError(error.reason, message, { data: error.data, cause: error.cause })
}
