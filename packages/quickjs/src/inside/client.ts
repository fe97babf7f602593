// The global `sallyport` of a script in QuickJS: the exports of `@sallyport/frontend`, for the one client of its VM.
import {
  Channel,
  type Client,
  findPlaceholder,
  type InvokeOptions,
  type Placeholders,
  ScriptClient,
  type ScriptClientOptions,
} from '@sallyport/frontend/internal'
import { BusError, CommandError, isBusError, isCommandError } from '@sallyport/protocol/internal/errors'
import { isError } from '@sallyport/protocol/internal/util'
import { sendFrame } from './host.js'
import { createVmLinks, type VmLinks } from './link.js'
import { describeError, post } from './port.js'

/** What a script begins with, beside its data. */
export interface ScriptStart extends Omit<ScriptClientOptions, 'createLink' | 'answered' | 'explain' | 'data'> {
  /** For `Math.random`. */
  readonly seed: readonly number[]
  readonly env?: Env | undefined
}

export type Env = Readonly<Record<string, string>>

export const links: VmLinks = createVmLinks(sendFrame, () => post('close'))

let client: ScriptClient
export const getClient = (): ScriptClient => client

let secrets: Placeholders = {}
export const setSecrets = (placeholders: Placeholders): void => void (secrets = placeholders)

export function createClient(options: Omit<ScriptStart, 'seed' | 'env'>, data: unknown): void {
  client = new ScriptClient({
    ...options,
    data,
    explain,
    createLink: links.create,
    answered: () => post('answered'),
    onUnsent: () => post('unsent'),
  })
}

const explained = new WeakSet<Error>()

/** Lets the host name in an error what is missing, and where in the script's code it is. */
function explain(thrown: unknown): void {
  try {
    // What the engine throws without the memory for an error.
    if (thrown === null) post('explain', describeError(thrown))
    if (!isError(thrown) || explained.has(thrown)) return
    explained.add(thrown)
    // Its data, which goes to the caller, can be large: each byte of it would become a member.
    const { data: _, ...error } = describeError(thrown)
    const [message, stack]: [string, string] = JSON.parse(post('explain', error) as string)
    if (message !== thrown.message) thrown.message = message
    Object.defineProperty(thrown, 'stack', { value: stack, configurable: true, writable: true })
  } catch {
    // It has a getter that throws, or is frozen: the caller gets it as it is.
  }
}

export const sallyport: Record<string, unknown> = {
  BusError,
  CommandError,
  Channel,
  isBusError,
  isCommandError,
  get label() {
    return client.label
  },
  get data() {
    return client.data
  },
  getLabel: () => client.label,
  getData: () => client.data,
  getSecret: (name: string) => findPlaceholder(secrets, name),
  createClient: (other: unknown = sallyport) => other,
  expose: (functions: never) => client.expose(functions),
  invoke: (command: string, args?: object, options?: InvokeOptions) => client.invoke(command, args, options),
  stream: (command: string, args?: object, options?: InvokeOptions) => client.stream(command, args, options),
  emit: (...args: Parameters<Client['emit']>) => client.emit(...args),
  emitTo: (...args: Parameters<Client['emitTo']>) => client.emitTo(...args),
  listen: (...args: Parameters<Client['listen']>) => client.listen(...args),
  once: (...args: Parameters<Client['once']>) => client.once(...args),
}
Object.freeze(sallyport)
