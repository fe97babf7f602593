// Functions of the host for one run of `bus.run`: what the code finds of them, and what runs when it calls one.
import { createContext, Script } from 'node:vm'
import type { ExposedContext } from '@sallyport/frontend/internal'
import { BusError, describeName, isBusError } from '@sallyport/protocol/internal/errors'
import { bindContext } from '@sallyport/protocol/internal/util'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkArguments } from '../../api/arguments.js'
import { RUN_FUNCTION_METHOD } from '../../contract/host-core.js'
import { didYouMean } from '../../shared/suggest.js'
import { isObject } from '../../shared/validate.js'

/** Runs in the host with the arguments of a call, or with the output of their schema. */
export type RunHandler = (args: never, ctx: ExposedContext) => unknown

/** A function of the host for one run. */
export interface RunFunction {
  /** What it does, in a sentence or two for a model: see `bus.describe`. */
  readonly description?: string
  /** Any Standard Schema of its one argument. The handler receives the schema's output. */
  readonly args?: StandardSchemaV1
  /** Runs in the host. The code gets the message of what it throws. `signal` aborts when the run ends. */
  readonly handler: RunHandler
}

/** Functions of the host for one run, by namespace and name. A function alone is its `handler`. */
export type RunFunctions = Readonly<Record<string, Readonly<Record<string, RunFunction | RunHandler>>>>

export interface PreparedFunctions {
  /** The name by which the host exposes `run`: only the run's session in core knows it. */
  readonly name: string
  readonly run: (call: never, ctx: ExposedContext) => unknown
  /** Returns a declaration of the namespaces. @param invoke - an expression that is the client's `invoke` */
  declare(invoke: string): string
  /** Returns an error of the code that names a function which is not there with one that is. Returns other errors unchanged. */
  explain(error: unknown): unknown
}

const MEMBERS = ['description', 'args', 'handler']
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
/** Names that code finds in a sandbox, in addition to those of JavaScript. */
const TAKEN = new Set([
  ...['args', 'invoke', 'stream', 'emit', 'listen', 'expose', 'Channel', 'sallyport', 'console', 'self', 'window'],
  ...['global', 'process', 'Buffer', 'require', 'module', 'exports', 'harden', 'lockdown', 'Compartment'],
])
/** An awaited namespace would be called by its `then`, and a serialized one by its `toJSON`. */
const NOT_MEMBERS = new Set(['then', 'toJSON'])

type Run = (args: unknown, ctx: ExposedContext) => unknown

/** @throws {BusError} InvalidParams, which names the function */
export function prepareFunctions(where: string, functions: RunFunctions): PreparedFunctions {
  const wrong = (place: string, text: string): BusError =>
    new BusError('InvalidParams', `${where}: functions${place}: ${text}`)
  const handlers = new Map<string, Run>()
  const listEntries = (place: string, value: unknown): [string, unknown][] => {
    if (!isObject(value) || !isPlain(value)) throw wrong(place, 'must be an object of its own, without a class')
    return Object.entries(value)
  }
  const namespaces = listEntries('', functions).map(([namespace, members]) => {
    const reason = getNameProblem(namespace) ?? getGlobalProblem(namespace)
    if (reason) throw wrong('', `${describeName(namespace)} ${reason}`)
    const names = listEntries(`.${namespace}`, members).map(([name, definition]) => {
      const problem = getNameProblem(name) ?? (NOT_MEMBERS.has(name) ? 'is reserved' : undefined)
      if (problem) throw wrong(`.${namespace}`, `${describeName(name)} ${problem}`)
      const { method, run } = prepare(`${namespace}.${name}`, definition, text => wrong(`.${namespace}.${name}`, text))
      handlers.set(method, run)
      return name
    })
    return [namespace, names] as const
  })

  const names = new Map(namespaces)
  return {
    name: `bus.run ${crypto.randomUUID()}`,
    run: bindContext((call: { name: unknown; args: unknown }, ctx: ExposedContext) => {
      const run = handlers.get(String(call.name))
      if (!run) throw new BusError('MethodNotFound', `The run has no function ${describeName(String(call.name))}`)
      return run(call.args, ctx)
    }),
    declare(invoke) {
      const write = ([namespace, names]: readonly [string, readonly string[]]): string => {
        const members = names.map(name => `${name}: (args = {}) => call('${namespace}.${name}', args)`)
        return `${namespace}: Object.freeze({ ${members.join(', ')} })`
      }
      const call = `(name, args) => ${invoke}('${RUN_FUNCTION_METHOD}', { name, args })`
      const list = namespaces.map(([namespace]) => namespace).join(', ')
      return `const { ${list} } = (call => ({ ${namespaces.map(write).join(', ')} }))(${call}); `
    },
    explain(error) {
      if (!isBusError(error, 'CommandFailed')) return error
      const { message, data, cause } = error
      const hint = suggestFunction(message, names)
      if (hint === '') return error
      const text = `${message}${hint}`
      return new BusError('CommandFailed', text, { data: data === message ? text : data, cause })
    },
  }
}

/** Names that a message lists. */
const MAX_LISTED = 10

/** Returns what the code might have meant: ` (did you mean "search"?)`, or an empty string. */
function suggestFunction(message: string, namespaces: ReadonlyMap<string, readonly string[]>): string {
  const [, namespace = '', name = ''] = /^([\w$]+)\.([\w$]+) is not a function$/.exec(message) ?? []
  const names = namespaces.get(namespace)
  if (names) {
    const listed = names.length > MAX_LISTED ? [...names.slice(0, MAX_LISTED), '…'] : names
    return didYouMean(name, names) || `. ${namespace} has ${listed.join(', ') || 'no functions'}`
  }
  const [, missing] = /^([\w$]+) is not defined$/.exec(message) ?? []
  if (missing === undefined) return ''
  const [owner] = [...namespaces].find(([, members]) => members.includes(missing)) ?? []
  return owner === undefined ? didYouMean(missing, namespaces.keys()) : ` (did you mean "${owner}.${missing}"?)`
}

function prepare(method: string, definition: unknown, wrong: (text: string) => BusError): { method: string; run: Run } {
  if (typeof definition === 'function') return { method, run: definition as Run }
  if (!isObject(definition)) throw wrong('must be a function, or { description, args, handler }')
  const unknown = Object.keys(definition).find(member => !MEMBERS.includes(member))
  if (unknown !== undefined) throw wrong(`unknown option ${describeName(unknown)}: use ${MEMBERS.join(', ')}`)
  const { description, args, handler } = definition as Partial<RunFunction>
  if (typeof handler !== 'function') throw wrong('handler must be a function')
  if (description !== undefined && typeof description !== 'string') throw wrong('description must be a string')
  if (args === undefined) return { method, run: handler as Run }
  if (typeof args?.['~standard']?.validate !== 'function') throw wrong('args must be a Standard Schema')
  return { method, run: checkArguments(method, args, handler as Run) }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function getNameProblem(name: string): string | undefined {
  if (!IDENTIFIER.test(name)) return 'must be an identifier of ASCII letters, digits, "_" and "$"'
  return name in Object.prototype ? 'is reserved, because every object has it' : undefined
}

let builtIns: ReadonlySet<string> | undefined

function getGlobalProblem(name: string): string | undefined {
  builtIns ??= new Set(
    new Script('Object.getOwnPropertyNames(globalThis)').runInContext(createContext()) as readonly string[],
  )
  const isGlobal = builtIns.has(name) || TAKEN.has(name) || Object.hasOwn(globalThis, name)
  if (isGlobal) return 'is reserved, because it is a global of the code'
  try {
    void new Script(`'use strict'; async () => { const ${name} = 0 }`)
    return undefined
  } catch {
    return 'is reserved in JavaScript'
  }
}
