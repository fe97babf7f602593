// `bus.call`: over the host's own link, as a command of core that frontends don't have. Its arguments are those of the function;
// which one it is goes beside them, so that bytes are found where they stand.
import { Channel, type Client } from '@sallyport/frontend/client'
import { BusError, checkOptionNames, describeCommand, describeName, isBusError, isBytes } from '@sallyport/protocol'
import type { FrontendCallOptions } from '../exposed-calls.js'
import { HOST_METHOD } from '../host-commands.js'

export interface FrontendCall {
  label: string
  name: string
  args: object | undefined
  options: FrontendCallOptions | undefined
}

const OPTIONS: ReadonlySet<string> = new Set(['signal', 'timeout', 'transfer'])

export async function callFrontend<T>(client: Client, { label, name, args, options = {} }: FrontendCall): Promise<T> {
  if (typeof label !== 'string' || typeof name !== 'string') {
    throw new BusError('InvalidParams', 'bus.call takes a frontend’s label, and the name of a function that it exposes')
  }
  checkOptionNames(name, options, OPTIONS)
  if (holdsChannel(args)) {
    throw new BusError(
      'InvalidParams',
      `A channel can’t be passed to a frontend, as an argument of ${describeCommand(name)}`,
    )
  }
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

const holdsChannel = (args: unknown): boolean =>
  typeof args === 'object' && args !== null && !isBytes(args) && Object.values(args).some(isChannel)

const isChannel = (value: unknown): boolean => value instanceof Channel
