// Runs a frontend's script in a VM of QuickJS, which has the client, a console, timers and JavaScript's built-in objects, and nothing of
// Node. The frontend worker loads this module if its sandbox is `quickjs`.
import type { EngineModule, FrontendScript, ModuleText, ScriptOptions } from '@sallyport/protocol/internal/contract'
import { BusError } from '@sallyport/protocol/internal/errors'
import { MAX_IMAGE_BYTES, MAX_SNAPSHOT_BYTES } from '@sallyport/protocol/internal/wire'
import { Bridge } from './quickjs/bridge.js'
import { explainError, explainSyntax } from './quickjs/explain-error.js'
import { fixColumns, Machine, type MachineEvents } from './quickjs/machine.js'
import { ScriptModules } from './quickjs/script-modules.js'
import { readSnapshot, writeSnapshot } from './quickjs/snapshot.js'
import type { CrossedError } from './quickjs/values.js'
import { prepareVms } from './quickjs/vm-pool.js'
import { createScriptError, readScriptText, toJavaScript } from './shared/script-text.js'

export const prepare = (module?: EngineModule): Promise<unknown> => prepareVms(module)

/** @throws {BusError} LoadFailed if the script cannot be read */
export async function loadScript(
  url: string,
  text: ModuleText | undefined,
  content: string | undefined,
  { codec, engine, snapshot, network }: ScriptOptions,
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
    const problem = text?.wrapper ? findEnd(code, frames, message, machine) : { position: getPosition(frames), message }
    const [, line = 0, column = 0] = problem.position.split(':').map(Number)
    const explained = explainSyntax(problem.message, getLines()[line - 1] ?? '', column, body !== undefined)
    const module = getModuleName(frames)
    const isOther = module !== name && modules.has(module)
    const error = createScriptError(`${isOther ? module : place}${problem.position}`, `syntax error: ${explained}`)
    error.stack = `${error.name}: ${error.message}\n${frames}`
    return error
  }
  let isStopped = false
  let end = (): void => {}
  return {
    async run(functions, thread, onFault) {
      const image = snapshot && (await readSnapshot(snapshot, engine!.memory))
      await new Promise<void>((resolve, reject) => {
        let isLoaded = false
        const onUncaught = (error: CrossedError): void =>
          onError(machine?.toLimitOfError(error) ?? toFault(error, bridge))
        const onError = (error: Error): void => {
          if (isLoaded) onFault(error)
          else reject(error)
        }
        let machine: Machine | undefined
        const findLimit = (error: CrossedError): boolean => {
          const limit = machine?.toLimitOfError(error)
          if (limit) onError(limit)
          return limit !== undefined
        }
        const loaded = (): void => {
          isLoaded = true
          resolve()
        }
        const bridge = new Bridge({
          ...{
            functions,
            thread,
            body,
            explain: (error, frames) => explainError(error, getLines, findPlace(frames, name)),
            network,
            codec,
            maxBytes: engine!.memory * 2 ** 20,
            maxResultBytes: text?.wrapper?.maxResultBytes,
            loaded,
            findLimit,
            uncaught: onUncaught,
          },
          deliver(message, bytes) {
            thread.onEnter?.()
            machine?.deliver(message, bytes)
          },
          loadFailed: onUncaught,
          suspended(bridgeState) {
            const { memoryBytes } = machine!
            if (memoryBytes > MAX_IMAGE_BYTES) return onError(tooLarge('memory', memoryBytes, MAX_IMAGE_BYTES))
            const vm = machine!.capture()
            const tokens = bridgeState.interrupted.map(([, token]) => token)
            if (vm) writeSnapshot({ vm, bridge: bridgeState }).then(written => suspend(written, tokens), onError)
          },
        })
        const suspend = (written: Uint8Array, tokens: readonly string[]): void => {
          const { byteLength } = written
          if (byteLength <= MAX_SNAPSHOT_BYTES) return thread.suspended?.({ snapshot: written, tokens })
          onError(tooLarge('snapshot', byteLength, MAX_SNAPSHOT_BYTES))
        }
        end = () => {
          bridge.stop()
          machine?.dispose()
        }
        const events: MachineEvents = {
          receive: (message, bytes) => bridge.receive(message, bytes),
          rejected: (error, promise) =>
            thread.unhandled && !findLimit(error)
              ? thread.unhandled(promise, bridge.toError(error))
              : onUncaught(error),
          handled: promise => thread.handled?.(promise),
          idle: () => bridge.idle(),
          ended: onError,
          isTerminated: () => thread.isTerminated?.() ?? false,
          resolveModule: (base, specifier) => modules.resolve(base, specifier),
          loadModule: module => modules.load(module),
        }
        void Machine.start(engine!, events, image?.vm)
          .then(started => {
            if (isStopped) return started.dispose()
            machine = started
            if (image) {
              bridge.restore(image.bridge)
              return loaded()
            }
            bridge.begin()
            try {
              if (!text?.wrapper) return machine.evaluateModule(code, name)
              machine.exposeBody(code, name, text.wrapper.globals)
            } catch (error) {
              throw fail(error as Error, started)
            }
            return loaded()
          })
          .catch(onError)
      })
    },
    stop() {
      isStopped = true
      end()
    },
  }
}

/** Returns the name of the module in the first frame. */
const getModuleName = (frames: string): string => /^ *at (?:.* \()?(.*?):\d+(?::\d+)?\)?$/m.exec(frames)?.[1] ?? ''

const splitLines = (code: string): string[] => code.split(/\r\n|[\n\r\u2028\u2029]/)

/** Returns the place of the first frame if it is in the code with that name. */
function findPlace(frames: string, name: string): [line: number, column: number] | undefined {
  if (getModuleName(frames) !== name) return undefined
  const [, line = 0, column = 0] = getPosition(frames).split(':').map(Number)
  return [line, column]
}

const getPosition = (frames: string): string => /:\d+:\d+/.exec(frames)?.[0] ?? ''

/** Returns place and message of a syntax error. Behind the code, the parser has found what closes it: then the code closes it too, or is open. */
function findEnd(
  code: string,
  frames: string,
  message: string,
  machine: Machine,
): { position: string; message: string } {
  const position = getPosition(frames)
  const lines = splitLines(code)
  const [line = 1] = position.slice(1).split(':').map(Number)
  if (line <= lines.length) return { position, message }
  const isClosed = machine.closesBody(code)
  const before = splitLines(isClosed ? code.slice(0, code.lastIndexOf('}')) : code)
  return {
    position: `:${before.length}:${before.at(-1)!.length + 1}`,
    message: isClosed ? "Unexpected token '}'" : 'Unexpected end of input',
  }
}

function tooLarge(limit: 'memory' | 'snapshot', bytes: number, max: number): BusError {
  const message = `The script was interrupted, and its ${limit} of ${bytes} bytes exceeds ${max}. Let it hold less meanwhile`
  return new BusError('Overloaded', message, { data: { limit, max } })
}

function toFault(error: CrossedError, bridge: Bridge): Error {
  const thrown = bridge.toError(error)
  return thrown instanceof Error ? thrown : new Error(String(error.message))
}
