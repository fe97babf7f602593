// Globals of the code for its tools: what the code finds, and what runs in the host when it calls one.
import { type Bus, BusError, type RunFunctions } from '@sallyport/core'
import { checkSendable, RunInterrupt } from '@sallyport/core/internal'

export type RunTool = (args: readonly unknown[], signal: AbortSignal) => unknown

export interface ToolGroup {
  readonly namespace?: string
  readonly tools: ReadonlyMap<string, RunTool>
}

const BRIDGE = '$tools'
export const BRIDGE_NAME: string = `"${BRIDGE}.call"`
const MAX_NAMES = 20
/** The part of a message that tells failures apart, of which so many are kept. */
export const MAX_FAILURE: number = 1000
const MAX_FAILURES = 100
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/** @throws {BusError} InvalidParams for two tools that the code would find under one name */
export function createTools(
  names: readonly string[],
  toRun: (name: string) => RunTool,
  toGlobalName = (name: string): string => name,
): Map<string, RunTool> {
  const tools = new Map<string, RunTool>()
  for (const name of names) {
    const found = toGlobalName(name)
    if (tools.has(found)) throw new BusError('InvalidParams', `Two tools are named ${JSON.stringify(found)}`)
    tools.set(found, toRun(name))
  }
  return tools
}

/**
 * Returns the one function of `bus.run` that calls the tools. The request is the code's, and can be anything.
 * @param running - gets the name of each tool that runs, and keeps those whose run ends first
 * @param failed - gets the name of the tool that has failed with a message, or an empty one of several
 */
export function createBridge(
  bus: Bus,
  groups: readonly ToolGroup[],
  running: string[],
  failed: Map<string, string>,
): RunFunctions {
  /** Errors are read by a model, which knows the tool by the name that its code calls, and must learn that it ran. */
  const runTool = async (name: string, run: () => unknown): Promise<unknown> => {
    try {
      const value = await run()
      if (typeof value !== 'string') checkSendable(bus, `${name} ran, but its result`, value)
      return value
    } catch (thrown) {
      if (thrown instanceof RunInterrupt) throw thrown
      const isObject = typeof thrown === 'object' && thrown !== null
      const error = isObject ? thrown : new Error(`${name} failed: it threw ${String(thrown)}`, { cause: thrown })
      const message = String((error as { message?: unknown }).message).slice(0, MAX_FAILURE)
      failed.set(message, (failed.get(message) ?? name) === name ? name : '')
      if (failed.size > MAX_FAILURES) failed.delete(failed.keys().next().value!)
      throw error
    }
  }
  const call = (request: unknown, { signal }: { signal: AbortSignal }): unknown => {
    const { group, name, args }: { group?: unknown; name?: unknown; args?: unknown } = Object(request)
    const tools = typeof group === 'number' ? groups[group]?.tools : undefined
    const tool = String(name)
    const run = tools?.get(tool)
    if (run) {
      running.push(tool)
      const { namespace } = groups[group as number]!
      const fullName = namespace === undefined ? tool : `${namespace}.${tool}`
      const result = runTool(fullName, () => run(Array.isArray(args) ? args : [], signal))
      return result.finally(() => signal.aborted || running.splice(running.indexOf(tool), 1))
    }
    const names = [...(tools?.keys() ?? [])]
    const others = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} others` : ''
    const text = `The tool ${JSON.stringify(tool.slice(0, 100))} does not exist`
    throw new BusError('MethodNotFound', `${text}. Use one of: ${names.slice(0, MAX_NAMES).join(', ')}${others}`)
  }
  return { [BRIDGE]: { call } }
}

/**
 * Returns JavaScript that makes the tools globals, in one line. Names are data in it, and
 * can be any string. A tool that does not exist is still a function, whose call names the others.
 * @throws {BusError} InvalidParams for a namespace that is not an identifier
 */
export function writeGlobals(groups: readonly ToolGroup[]): string {
  const namespaces = groups.flatMap(({ namespace }) => namespace ?? [])
  for (const [index, name] of namespaces.entries()) {
    const text = namespaces.indexOf(name) < index ? 'is that of several providers' : 'is not an identifier'
    if (IDENTIFIER.test(name) && namespaces.indexOf(name) === index) continue
    throw new BusError('InvalidParams', `The namespace ${JSON.stringify(name)} ${text}`)
  }
  const data = JSON.stringify(groups.map(({ namespace = null, tools }) => [namespace, [...tools.keys()]]))
  const steps = [
    `for (const [group, [namespace, names]] of ${data}.entries()) {`,
    // By this name `bus.run` knows that a frame of it is not one of the code.
    'const create = name => ({ $tool: (...args) => bridge.$tool({ group, name, args }) }).$tool;',
    // A call that was interrupted is made again once a person has approved it.
    `const bridge = { $tool: request => ${BRIDGE}.call(request).catch(error => {`,
    "if (error.reason === 'Interrupted') return bridge.$tool(request); throw error }) };",
    'const tools = Object.create(null);',
    'const set = (target, name, value) =>',
    'Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });',
    'const target = namespace === null ? globalThis : tools;',
    'for (const name of names) set(target, name, create(name));',
    // A name that is not an identifier has another one, too.
    'for (const name of names) { const other = name.replaceAll(/[^A-Za-z0-9_$]/g, "_").replace(/^(?=[0-9]|$)/, "_");',
    'if (!Object.hasOwn(target, other)) set(target, other, create(name)); }',
    "const isOwn = name => name in tools || typeof name === 'symbol' || name === 'then' || name === 'toJSON';",
    'const get = (_, name) => (isOwn(name) ? tools[name] : create(name));',
    'if (namespace !== null) set(globalThis, namespace, new Proxy(tools, { get }));',
    '}',
  ]
  return steps.join(' ')
}
