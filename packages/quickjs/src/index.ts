// Runs a frontend's script in a VM of QuickJS, which has the client, a console, timers and JavaScript's built-in objects, and nothing of
// Node. The frontend worker loads this module if its sandbox is `quickjs`.
import { randomFillSync } from 'node:crypto'
import type { EngineModule, FrontendScript, ModuleText, ScriptOptions } from '@sallyport/protocol/internal/contract'
import {
  BusError,
  type BusErrorReason,
  ERROR_CODES,
  fromErrorData,
  isBusError,
} from '@sallyport/protocol/internal/errors'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { type Link, MAX_IMAGE_BYTES, MAX_SNAPSHOT_BYTES } from '@sallyport/protocol/internal/wire'
import { CoreLink } from './script-host/core-link.js'
import type { CrossedError } from './script-host/crossing.js'
import { explainError, explainSyntax } from './script-host/explain-error.js'
import { fixColumns, Machine, type MachineEvents, MAX_ERROR_LENGTH } from './script-host/machine.js'
import { createScriptError, readScriptText, ScriptModules, toJavaScript } from './script-host/script-text.js'
import { Services } from './script-host/services.js'
import { prepareVms, readSnapshot, writeSnapshot } from './script-host/vm-pool.js'

export const prepare = (module?: EngineModule): Promise<unknown> => prepareVms(module)

/** @throws {BusError} LoadFailed if the script cannot be read */
export async function loadScript(
  url: string,
  text: ModuleText | undefined,
  content: string | undefined,
  { engine, snapshot, network }: ScriptOptions,
): Promise<FrontendScript> {
  const { name, place, text: source } = await readScriptText(url, text, content)
  const body = text?.wrapper ? name : undefined
  const code = toJavaScript(name, place, source, body !== undefined)
  const modules = new ScriptModules(place, text?.modules)
  /** Only for the texts of errors. */
  let lines: readonly string[] | undefined
  const getLines = (): readonly string[] => (lines ??= splitLines(code))
  const fail = ({ message, stack = '' }: Error, machine: Machine): BusError => {
    const frames = fixColumns(stack, body)
    const found = getPlace(frames)
    const { module, line, column, problem = message } = body === undefined ? found : findEnd(code, found, machine)
    const explained = explainSyntax(problem, getLines()[line - 1] ?? '', column, body !== undefined)
    const isOther = module !== name && modules.has(module)
    const position = line > 0 ? `:${line}:${column}` : ''
    const error = createScriptError(`${isOther ? module : place}${position}`, `syntax error: ${explained}`)
    error.stack = `${error.name}: ${error.message}\n${frames}`
    return error
  }
  /** Returns the message of an error of the script for the host, and its stack. */
  const explain = (error: CrossedError): [message: string, stack: string] => {
    const frames = typeof error.stack === 'string' ? fixColumns(error.stack, body).trimEnd() : ''
    const title = typeof error.name === 'string' ? error.name.slice(0, 100) : 'Error'
    const own = String(error.message).slice(0, MAX_ERROR_LENGTH)
    const { module, line, column } = getPlace(frames)
    const message = explainError({ name: title, message: own }, getLines, module === name ? [line, column] : undefined)
    return [message, frames === '' ? `${title}: ${message}` : `${title}: ${message}\n${frames}`]
  }
  /** Returns the value of this thread for one that the script has thrown. */
  const toThrown = (crossed: CrossedError): unknown => {
    const { reason, data, isValue, thrown } = crossed
    if (isValue) return data
    const [message, stack] = explain(crossed)
    const isKnown = typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
    const error = isKnown
      ? new BusError(reason as BusErrorReason, message, data === undefined ? {} : { data })
      : fromErrorData({ ...Object(thrown), name: String(crossed.name ?? 'Error').slice(0, 100), message })!
    return Object.assign(error, { stack })
  }
  const toFault = (crossed: CrossedError): Error => {
    const thrown = toThrown(crossed)
    return thrown instanceof Error ? thrown : new Error(String(crossed.message))
  }
  let running: { stop(): void; attach(link: Link): void; close(): Promise<void> } | undefined
  let isStopped = false

  return {
    async run(firstLink, { data, ...client }, thread, onFault) {
      const image = snapshot && (await readSnapshot(snapshot, engine!.memory))
      const machine = await Machine.start(engine!, image)
      if (isStopped) return machine.dispose()
      const maxBytes = engine!.memory * 2 ** 20
      /** The script was interrupted, has ended, or has broken the protocol: nothing more is handled or sent. */
      let isOver = false
      /** Tokens of an interrupted script that is to be suspended. */
      let interrupted: readonly string[] | undefined
      /** The code of `bus.run` has returned, or the script has failed. */
      let isDone = false
      /** The client closes, and sends what waits in it. That is no time of the script's own: only force ends it. */
      let isClosing = false
      /** The client has closed. A loop of calls, which all reject at once now, would never end. */
      let hasClosed = false
      /** Why what waited in the client is lost. */
      let lost: BusError | undefined
      /** The script has just sent a call, so it is not idle: asking it would cost as much as a tenth of the call. */
      let awaitsAnswer = false
      const loaded = createDeferred<void>()
      loaded.promise.catch(() => {})
      let isLoaded = false
      const setLoaded = (): void => {
        isLoaded = true
        loaded.resolve()
      }
      /** The machine goes on no more. While the link has no room, messages wait in its client. */
      const onEnd = (error: BusError): void => {
        if (hasClosed) return
        if (isClosing || core.isFull) lost ??= toLost(error)
        onError(error)
      }
      const onError = (error: Error): void => {
        isDone = true
        if (isLoaded) onFault(error)
        else loaded.reject(error)
      }
      const onUncaught = (error: CrossedError): void => onError(machine.toLimitOfError(error) ?? toFault(error))
      const refuse = (error: unknown): never => {
        isOver = true
        onEnd(error as BusError)
        throw error
      }
      const deliver = (operation: string, value?: unknown, bytes?: Uint8Array): void => {
        if (isOver) return
        thread.onEnter?.()
        machine.deliver(operation, value, bytes)
      }
      const core = new CoreLink({
        maxBytes,
        receive(frame) {
          if (isOver) return
          thread.onEnter?.()
          machine.receive(frame)
        },
        room: () => deliver('room'),
        closed: () => deliver('closed'),
      })
      const services = new Services({
        network,
        maxBytes,
        machine,
        print: (stream, line) => thread.print(stream, line),
        wake: () => deliver('wake'),
        settle: (id, value, bytes, error) => deliver('settle', [id, value, error], bytes),
      })
      const handle = (
        operation: string,
        content: string,
        bytes: Uint8Array | undefined,
      ): Uint8Array | string | undefined => {
        switch (operation) {
          case 'loaded':
            return (isDone ? undefined : setLoaded()) as undefined
          case 'load-error':
          case 'fault':
            return onUncaught(Object(machine.parse(content)) as CrossedError) as undefined
          case 'explain': {
            const error = Object(machine.parse(content)) as CrossedError
            const limit = machine.toLimitOfError(error)
            // The limit is what ends the script, and not the error that its function has thrown.
            if (limit) refuse(limit)
            return JSON.stringify(explain(error))
          }
          case 'synchronized':
            return (isDone ? undefined : thread.synchronized()) as undefined
          case 'unsent':
            return thread.unsent() as undefined
          case 'answered':
            isDone = true
            return thread.answered() as undefined
          case 'suspend':
            interrupted = (machine.parse(content) as unknown[]).map(String)
            return undefined
          case 'close':
            hasClosed = isClosing
            if (hasClosed) return void core.close() as undefined
            // Core's messages are valid: the client closes its link by itself only if it has no memory to read one.
            isOver = true
            return onError(machine.createLimit('memory')) as undefined
          default:
            return services.handle(operation, content, bytes)
        }
      }
      const suspend = async (tokens: readonly string[]): Promise<void> => {
        const { memoryBytes } = machine
        if (memoryBytes > MAX_IMAGE_BYTES) throw tooLarge('memory', memoryBytes, MAX_IMAGE_BYTES)
        const vm = machine.capture()
        if (!vm) return
        isOver = true
        const written = await writeSnapshot(vm)
        if (written.byteLength > MAX_SNAPSHOT_BYTES) throw tooLarge('snapshot', written.byteLength, MAX_SNAPSHOT_BYTES)
        thread.suspended?.({ snapshot: written, tokens })
      }
      const events: MachineEvents = {
        receive(operation, content, bytes) {
          if (isOver) return undefined
          try {
            return handle(operation, content, bytes)
          } catch (error) {
            if (isBusError(error, 'InvalidRequest')) refuse(error)
            throw error
          }
        },
        sendFrame(frameBody, kind) {
          if (typeof frameBody === 'string' && CALL.test(frameBody)) awaitsAnswer = true
          try {
            return !isOver && core.send(frameBody, kind)
          } catch (error) {
            return refuse(error)
          }
        },
        rejected(error, promise) {
          const limit = machine.toLimitOfError(error)
          if (limit || !thread.unhandled) onError(limit ?? toFault(error))
          else thread.unhandled(promise, toThrown(error))
        },
        handled: promise => thread.handled?.(promise),
        waits() {
          const awaits = awaitsAnswer
          awaitsAnswer = false
          if (!text?.wrapper || isDone || isOver || awaits || core.isFull) return
          machine.checkIdle()
          const tokens = interrupted
          interrupted = undefined
          if (tokens) suspend(tokens).catch(onError)
        },
        lasts: () => core.flush(),
        ended: onEnd,
        isTerminated: () => hasClosed || (thread.isTerminated?.(isClosing) ?? false),
        resolveModule: (base, specifier) => modules.resolve(base, specifier),
        loadModule: module => modules.load(module),
      }
      machine.connect(events)
      running = {
        stop() {
          isOver = true
          services.stop()
          machine.dispose()
        },
        attach(next) {
          core.attach(next)
          deliver('reconnect')
        },
        // What waits leaves before the link closes, whatever the script does.
        async close() {
          isClosing = true
          deliver('close')
          await core.close()
          if (lost) throw lost
        },
      }
      const env = network?.env
      thread.onEnter?.()
      core.attach(firstLink)
      if (image) {
        machine.deliver('restored', { label: client.label, env })
        setLoaded()
        // A limit can have ended it already.
        return loaded.promise
      }
      const { label, codec, timeout, maxInFlight, overflow, deadlines } = client
      const seed = [...randomFillSync(new Uint32Array(4))]
      const { globals, maxResultBytes } = text?.wrapper ?? {}
      const options = { label, codec, timeout, maxInFlight, overflow, deadlines }
      machine.begin(JSON.stringify({ ...options, maxResultBytes, seed, env }), data)
      try {
        if (text?.wrapper) machine.exposeBody(code, name, globals)
        else machine.evaluateModule(code, name)
      } catch (error) {
        throw fail(error as Error, machine)
      }
      if (text?.wrapper) setLoaded()
      await loaded.promise
    },
    reconnect: link => running?.attach(link),
    close: async () => running?.close(),
    stop() {
      isStopped = true
      running?.stop()
    },
  }
}

/** What a frame with a call begins with. */
const CALL = /^\[?\{"jsonrpc":"2\.0","id":\d+,"method"/

const splitLines = (code: string): string[] => code.split(/\r\n|[\n\r\u2028\u2029]/)

interface Place {
  module: string
  line: number
  column: number
  /** What is wrong there, if the engine does not say so. */
  problem?: string
}

/** Returns the place of the first frame. */
function getPlace(frames: string): Place {
  const [, module = '', line, column] = /^ *at (?:.* \()?(.*?):(\d+):(\d+)\)?$/m.exec(frames) ?? []
  return { module, line: Number(line ?? 0), column: Number(column ?? 0) }
}

/** Returns the place of a syntax error. Behind the code, the parser has found what closes it: then the code closes it too, or is open. */
function findEnd(code: string, place: Place, machine: Machine): Place {
  if (place.line <= splitLines(code).length) return place
  const isClosed = machine.closesBody(code)
  const before = splitLines(isClosed ? code.slice(0, code.lastIndexOf('}')) : code)
  const problem = isClosed ? "Unexpected token '}'" : 'Unexpected end of input'
  return { ...place, line: before.length, column: before.at(-1)!.length + 1, problem }
}

const toLost = ({ reason, message, data, cause }: BusError): BusError =>
  new BusError(reason, `What it had sent is lost. ${message}`, { data: { ...Object(data), unsent: 'unknown' }, cause })

function tooLarge(limit: 'memory' | 'snapshot', bytes: number, max: number): BusError {
  const message = `The script was interrupted, and its ${limit} of ${bytes} bytes exceeds ${max}. Let it hold less meanwhile`
  return new BusError('Overloaded', message, { data: { limit, max } })
}
