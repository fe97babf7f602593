// An executor of Cloudflare's `@cloudflare/codemode`.
import { type Bus, BusError } from '@sallyport/core'
import { checkRunOptions } from '@sallyport/core/internal'
import { type CodeModeOptions, runCode } from './run-code.js'
import { createTools } from './tool-globals.js'

type Functions = Record<string, (...args: unknown[]) => Promise<unknown>>

/** Functions of the host for the code, as members of the global object `name`. `prelude` is JavaScript that runs before the code. */
export type ExecutorProvider = { name: string; fns: Functions; prelude?: string }

/** The `Executor` of `@cloudflare/codemode`. */
export interface CodeExecutor {
  /**
   * Runs code. Never rejects.
   *
   * @param code - an async function, statements, or an expression
   * @param providers - functions of the global `codemode`, or several providers
   * @returns the result, or the message of the error. In `logs`, lines of `console.error` and `console.warn` begin with `[error] `
   */
  execute(
    code: string,
    providers: ExecutorProvider[] | Functions,
    options?: { connectors?: unknown[] },
  ): Promise<{ result: unknown; error?: string; logs?: string[] }>
}

/**
 * Returns an executor for `createCodeTool` of `@cloudflare/codemode`. Each execution is one `bus.run`.
 *
 * @example createCodeTool({ tools: [tanstackTools(tools)], executor: toExecutor(bus, { timeout: 10_000 }) })
 */
export function toExecutor(bus: Bus, options: CodeModeOptions = {}): CodeExecutor {
  checkRunOptions('toExecutor', options, ['args', 'functions'])
  return {
    async execute(code, providers, { connectors = [] } = {}) {
      try {
        if (connectors.length > 0) throw new BusError('InvalidParams', 'Connectors need Cloudflare Workers. Use tools')
        const all = Array.isArray(providers) ? providers : [{ name: 'codemode', fns: providers }]
        const prelude = all.map(each => (each.prelude ? `${each.prelude}\n` : '')).join('')
        const groups = all.map(({ name: namespace, fns }) => {
          const tools = createTools(Object.keys(fns), name => args => fns[name]!(...args), toMemberName)
          return { namespace, tools }
        })
        const { value, logs, error } = await runCode(bus, { code, prelude, groups, options, errorPrefix: '[error] ' })
        return { result: value, logs, ...(error && { error: error.message }) }
      } catch (error) {
        return { result: undefined, error: error instanceof Error ? error.message : String(error) }
      }
    },
  }
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
