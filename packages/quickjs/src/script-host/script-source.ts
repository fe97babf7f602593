// The code of a script with what its errors need of it: places, lines and names as its author knows them.
import type { ModuleText } from '@sallyport/protocol/internal/contract'
import { BusError, type BusErrorReason, ERROR_CODES, fromErrorData } from '@sallyport/protocol/internal/errors'
import { isObject } from '@sallyport/protocol/internal/util'
import type { CrossedError } from './crossing.js'
import { explainError, explainSyntax } from './explain-error.js'
import { fixColumns, type Machine, MAX_ERROR_LENGTH } from './machine.js'
import { createScriptError, readScriptText, ScriptModules, type ScriptText, toJavaScript } from './script-text.js'

interface Place {
  module: string
  line: number
  column: number
  /** What is wrong there, if the engine does not say so. */
  problem?: string
}

export class ScriptSource {
  readonly name: string
  readonly code: string
  readonly modules: ScriptModules
  readonly #place: string
  /** The name of code that is the body of a function. */
  readonly #body: string | undefined
  #lines: readonly string[] | undefined

  /** @throws {BusError} LoadFailed for code whose types cannot be removed */
  constructor({ name, place, text }: ScriptText, module: ModuleText | undefined) {
    this.name = name
    this.#place = place
    this.#body = module?.wrapper && name
    this.code = toJavaScript(name, place, text, this.#body !== undefined)
    this.modules = new ScriptModules(place, module?.modules)
  }

  /** @throws {BusError} LoadFailed if it cannot be read */
  static async read(url: string, module: ModuleText | undefined, content: string | undefined): Promise<ScriptSource> {
    return new ScriptSource(await readScriptText(url, module, content), module)
  }

  /** Returns the error for code that the engine cannot compile. */
  toLoadError({ message, stack = '' }: Error, machine: Machine): BusError {
    const frames = fixColumns(stack, this.#body)
    const found = getPlace(frames)
    const { module, line, column, problem = message } = this.#body === undefined ? found : this.#findEnd(found, machine)
    const explained = explainSyntax(problem, this.#getLines()[line - 1] ?? '', column, this.#body !== undefined)
    const isOther = module !== this.name && this.modules.has(module)
    const position = line > 0 ? `:${line}:${column}` : ''
    const error = createScriptError(`${isOther ? module : this.#place}${position}`, `syntax error: ${explained}`)
    error.stack = `${error.name}: ${error.message}\n${frames}`
    return error
  }

  /** Returns the message of an error of the script for the host, and its stack. */
  explain(error: CrossedError): [message: string, stack: string] {
    const frames = typeof error.stack === 'string' ? fixColumns(error.stack, this.#body).trimEnd() : ''
    const name = typeof error.name === 'string' ? error.name.slice(0, 100) : 'Error'
    const own = { name, message: String(error.message).slice(0, MAX_ERROR_LENGTH) }
    const { module, line, column } = getPlace(frames)
    const message = explainError(own, () => this.#getLines(), module === this.name ? [line, column] : undefined)
    return [message, frames === '' ? `${name}: ${message}` : `${name}: ${message}\n${frames}`]
  }

  /** Returns the value of this thread for one that the script has thrown. */
  toThrown(crossed: CrossedError): unknown {
    const { reason, data, isValue, thrown } = crossed
    if (isValue) return data
    const [message, stack] = this.explain(crossed)
    const isKnown = typeof reason === 'string' && Object.hasOwn(ERROR_CODES, reason)
    const error = isKnown
      ? new BusError(reason as BusErrorReason, message, data === undefined ? {} : { data })
      : fromErrorData({
          ...(isObject(thrown) && thrown),
          name: String(crossed.name ?? 'Error').slice(0, 100),
          message,
        })!
    return Object.assign(error, { stack })
  }

  toFault(crossed: CrossedError): Error {
    const thrown = this.toThrown(crossed)
    return thrown instanceof Error ? thrown : new Error(String(crossed.message))
  }

  #getLines(): readonly string[] {
    return (this.#lines ??= splitLines(this.code))
  }

  /** Returns the place of a syntax error. Behind the code, the parser has found what closes it: then the code closes it too, or is open. */
  #findEnd(place: Place, machine: Machine): Place {
    if (place.line <= this.#getLines().length) return place
    const isClosed = machine.closesBody(this.code)
    const before = splitLines(isClosed ? this.code.slice(0, this.code.lastIndexOf('}')) : this.code)
    const problem = isClosed ? "Unexpected token '}'" : 'Unexpected end of input'
    return { ...place, line: before.length, column: before.at(-1)!.length + 1, problem }
  }
}

const splitLines = (code: string): string[] => code.split(/\r\n|[\n\r\u2028\u2029]/)

/** Returns the place of the first frame. */
function getPlace(frames: string): Place {
  const [, place = '', line, column] = /^ *at (.*):(\d+):(\d+)\)?$/m.exec(frames) ?? []
  return { module: place.replace(/^.* \(/, ''), line: Number(line ?? 0), column: Number(column ?? 0) }
}
