// `sallyport` in a script: what a module imports from `@sallyport/frontend`, made safe to give away. Each function takes what
// a script has and gives what it may have: signals are changed for Node's and back, and errors are looked through.
import { BusError, type FrontendFunctions } from '@sallyport/protocol'
import { toNodeSignal, toScriptSignal } from './globals.js'
import { toScriptError } from './source.js'

type AnyFunction = (...args: unknown[]) => unknown
type Functions = Record<Exclude<keyof FrontendFunctions, 'BusError' | 'CommandError' | 'Channel'>, AnyFunction>

/** To be hardened whole, with the classes of the client that it leads to. */
export function createScriptClient(given: FrontendFunctions): object {
  const client = given as unknown as Functions
  const data = checkData(given.getData())
  const label = given.getLabel()
  const sallyport: Record<string, unknown> = {
    BusError: given.BusError,
    CommandError: given.CommandError,
    Channel: given.Channel,
    label,
    // Its values stay the script's own to change.
    get data() {
      return data
    },
    getLabel: () => label,
    getData: () => data,
    isBusError: (error: unknown, reason?: unknown) => client.isBusError(error, reason),
    isCommandError: (error: unknown, code?: unknown) => client.isCommandError(error, code),
    createClient: (other: unknown = sallyport) => other,
    expose: (functions: unknown) => safely(() => harden(client.expose(exposed(functions)))),
    stream: (command: unknown, args?: unknown, options?: unknown) =>
      safely(() => toScriptStream(client.stream(command, args, withSignal(options)) as AsyncIterator<unknown, void>)),
    invoke: settled((command, args, options) => client.invoke(command, args, withSignal(options))),
    emit: settled((event, payload, options) => client.emit(event, payload, withSignal(options))),
    emitTo: settled((target, event, payload, options) => client.emitTo(target, event, payload, withSignal(options))),
    listen: settled(async (event, handler, options) =>
      harden(await client.listen(event, handler, withSignal(options))),
    ),
    once: settled(async (event, handler, options) => harden(await client.once(event, handler, withSignal(options)))),
  }
  return sallyport
}

function settled(run: (...args: unknown[]) => unknown): (...args: unknown[]) => Promise<unknown> {
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
  const own = {
    next: settled(() => stream.next()),
    return: settled(() => stream.return?.()),
    [Symbol.asyncIterator]: () => own,
    [Symbol.asyncDispose]: async () => void (await own.return()),
  }
  return harden(own)
}

/** Read once, as all options are. */
function withSignal(options: unknown): unknown {
  if (typeof options !== 'object' || options === null) return options
  const own: Record<string, unknown> = { ...options }
  if (own['signal'] !== undefined) own['signal'] = toNodeSignal(own['signal'])
  return own
}

interface ExposedContext {
  readonly signal: AbortSignal
}

function exposed(functions: unknown): unknown {
  if (typeof functions !== 'object' || functions === null) return functions
  return Object.fromEntries(Object.entries(functions).map(([name, run]) => [name, withContext(run)]))
}

function withContext(run: unknown): unknown {
  if (typeof run !== 'function') return run
  return (args: unknown, ctx: ExposedContext): unknown => {
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

/** A structured clone may hold objects of Node's: a key, a blob. @throws BusError `InvalidParams` */
function checkData(data: unknown, seen = new Set<unknown>()): unknown {
  if (typeof data !== 'object' || data === null || seen.has(data)) return data
  seen.add(data)
  if (!Object.isFrozen(Object.getPrototypeOf(data))) {
    throw new BusError('InvalidParams', "`data` of a frontend with sandbox: 'ses' holds an object of Node’s own")
  }
  if (data instanceof Map) for (const pair of data) pair.forEach(one => checkData(one, seen))
  else if (data instanceof Set) for (const one of data) checkData(one, seen)
  if (ArrayBuffer.isView(data)) checkData(data.buffer, seen)
  else for (const one of Object.values(data)) checkData(one, seen)
  return data
}
