// An executor of Cloudflare's `@cloudflare/codemode`.
import { type Bus, BusError } from '@sallyport/core'
import type { CodeModeOptions } from './options.js'
import { runCode } from './run-code.js'
import { type RunTool, setTool, type ToolGroup } from './tool-globals.js'

/** Functions for the code, as members of a global object. */
export interface ExecutorProvider {
  /** Name of the global object, such as `codemode`. */
  name: string
  /** The functions. They run in the host, with all arguments of a call. */
  fns: Record<string, (...args: unknown[]) => Promise<unknown>>
  /** JavaScript that runs in the sandbox before the code. */
  prelude?: string
}

/** The `Executor` of `@cloudflare/codemode`. It never throws. */
export interface CodeExecutor {
  /**
   * Runs code.
   *
   * @param code - an async function, as an expression
   * @param providers - functions of the global `codemode`, or several providers
   * @returns the result, or the message of the error. In `logs`, lines of `console.error` and `console.warn` begin with `[error] `
   */
  execute(
    code: string,
    providers: ExecutorProvider[] | ExecutorProvider['fns'],
    options?: { connectors?: unknown[] },
  ): Promise<{ result: unknown; error?: string; logs?: string[] }>
}

/**
 * Returns an executor for `createCodeTool` of `@cloudflare/codemode`. Each execution is one `bus.run`.
 *
 * @example createCodeTool({ tools: [tanstackTools(tools)], executor: toExecutor(bus, { timeout: 10_000 }) })
 */
export function toExecutor(bus: Bus, options: CodeModeOptions = {}): CodeExecutor {
  return {
    async execute(code, providers, { connectors = [] } = {}) {
      try {
        if (connectors.length > 0) throw new BusError('InvalidParams', 'Connectors need Cloudflare Workers. Use tools')
        const all = Array.isArray(providers) ? providers : [{ name: 'codemode', fns: providers }]
        const preludes = all.map(({ prelude }) => (prelude ? `${prelude}\n` : '')).join('')
        // The function alone: a model might end it with a semicolon.
        const source = `${preludes}return await (${code.trimEnd().replace(/;$/, '')}\n)()`
        const run = { code: source, groups: toGroups(all), options, errorPrefix: '[error] ' }
        const { value: result, logs, error } = await runCode(bus, run)
        return { result, logs, ...(error && { error: error.message }) }
      } catch (error) {
        return { result: undefined, error: error instanceof Error ? error.message : String(error) }
      }
    },
  }
}

function toGroups(providers: readonly ExecutorProvider[]): ToolGroup[] {
  const namespaces = new Set<string>()
  return providers.map(({ name: namespace, fns }) => {
    if (namespaces.has(namespace)) throw new BusError('InvalidParams', `Several providers are named "${namespace}"`)
    namespaces.add(namespace)
    const tools = new Map<string, RunTool>()
    for (const [name, run] of Object.entries(fns)) setTool(tools, toMemberName(name), args => run(...args))
    return { namespace, tools }
  })
}

/** Words after which `@cloudflare/codemode` writes `_` in the declarations that the model reads. */
const RESERVED = new Set(
  (
    'abstract arguments await boolean break byte case catch char class const continue debugger default delete do double else enum eval ' +
    'export extends false final finally float for function goto if implements import in instanceof int interface let long native new null ' +
    'package private protected public return short static super switch synchronized this throw throws transient true try typeof ' +
    'undefined var void volatile while with yield'
  ).split(' '),
)

/** Returns the name of a function as `@cloudflare/codemode` declares it to the model. */
function toMemberName(name: string): string {
  const identifier = name.replaceAll(/[-.\s]/g, '_').replaceAll(/[^\w$]/g, '')
  if (/^(?:\d|$)/.test(identifier)) return `_${identifier}`
  return RESERVED.has(identifier) ? `${identifier}_` : identifier
}
