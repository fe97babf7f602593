// The global `sallyport` of a script: the exports of `@sallyport/frontend`, made safe for a sandbox. Signals are converted to Node's and
// back, and errors are replaced if they lead to objects of Node.
import type { FrontendFunctions } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { toNodeSignal, toScriptSignal } from './globals.js'
import { toScriptError } from './source.js'

type AnyFunction = (...args: unknown[]) => unknown
type Functions = Record<keyof FrontendFunctions, AnyFunction>

/** The result must be hardened, together with the client's classes that it leads to. */
export function createScriptClient(functions: FrontendFunctions): object {
  const client = functions as unknown as Functions
  const data = checkData(client.getData())
  const label = client.getLabel()
  const sallyport: Record<string, unknown> = {
    BusError: client.BusError,
    CommandError: client.CommandError,
    Channel: client.Channel,
    label,
    // A getter: hardening freezes the values of properties, but a script can change its data.
    get data() {
      return data
    },
    getLabel: () => label,
    getData: () => data,
    isBusError: (error: unknown, reason?: unknown) => client.isBusError(error, reason),
    isCommandError: (error: unknown, code?: unknown) => client.isCommandError(error, code),
    createClient: (other: unknown = sallyport) => other,
    expose: (exposed: unknown) => safely(() => harden(client.expose(wrapFunctions(exposed)))),
    stream: (command: unknown, args?: unknown, options?: unknown) =>
      safely(() => toScriptStream(client.stream(command, args, withSignal(options)) as AsyncIterator<unknown, void>)),
    invoke: asyncSafely((command, args, options) => client.invoke(command, args, withSignal(options))),
    emit: asyncSafely((event, payload, options) => client.emit(event, payload, withSignal(options))),
    emitTo: asyncSafely((target, event, payload, options) =>
      client.emitTo(target, event, payload, withSignal(options)),
    ),
    listen: asyncSafely(async (event, handler, options) =>
      harden(await client.listen(event, handler, withSignal(options))),
    ),
    once: asyncSafely(async (event, ...rest) => harden(await client.once(event, ...rest.map(withSignal)))),
  }
  return sallyport
}

function asyncSafely(run: (...args: unknown[]) => unknown): (...args: unknown[]) => Promise<unknown> {
  return async (...args) => {
    try {
      return await run(...args)
    } catch (error) {
      throw toScriptError(error)
    }
  }
}

function safely<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw toScriptError(error)
  }
}

function toScriptStream(stream: AsyncIterator<unknown, void>): object {
  const scriptStream = {
    next: asyncSafely(() => stream.next()),
    return: asyncSafely(() => stream.return?.()),
    [Symbol.asyncIterator]: () => scriptStream,
    [Symbol.asyncDispose]: async () => void (await scriptStream.return()),
  }
  return harden(scriptStream)
}

/** Returns options with Node's signal. They are copied, so that each is read once. */
function withSignal(options: unknown): unknown {
  if (typeof options !== 'object' || options === null) return options
  const copy: Record<string, unknown> = { ...options }
  if (copy['signal'] !== undefined) copy['signal'] = toNodeSignal(copy['signal'])
  return copy
}

function wrapFunctions(functions: unknown): unknown {
  if (typeof functions !== 'object' || functions === null) return functions
  return Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, withContext(run)]))
}

function withContext(run: unknown): unknown {
  if (typeof run !== 'function') return run
  return (args: unknown, ctx: { readonly signal: AbortSignal }): unknown => {
    let signal: object | undefined
    return Reflect.apply(run, undefined, [
      args,
      harden({
        get signal() {
          return (signal ??= toScriptSignal(ctx.signal))
        },
      }),
    ])
  }
}

/** Throws if `data` contains objects of Node: a structured clone can contain a key, or a blob. */
function checkData(data: unknown, seen = new Set<unknown>()): unknown {
  if (typeof data !== 'object' || data === null || seen.has(data)) return data
  seen.add(data)
  if (!Object.isFrozen(Object.getPrototypeOf(data))) {
    throw new BusError('InvalidParams', "`data` of a frontend with sandbox: 'ses' contains an object of Node")
  }
  if (data instanceof Map) for (const entry of data) entry.forEach(item => checkData(item, seen))
  else if (data instanceof Set) for (const item of data) checkData(item, seen)
  if (ArrayBuffer.isView(data)) checkData(data.buffer, seen)
  else for (const item of Object.values(data)) checkData(item, seen)
  return data
}
