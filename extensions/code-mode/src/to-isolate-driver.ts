// An isolate driver of `@tanstack/ai-code-mode`.
import type { Bus } from '@sallyport/core'
import { checkRunOptions } from '@sallyport/core/internal'
import { type CodeModeOptions, runCode } from './run-code.js'
import { createTools, type RunTool } from './tool-globals.js'

/** What TanStack AI asks of a context. */
export type IsolateConfig = {
  /** Tools, which are global functions of the code. */
  bindings: Record<string, { execute: (args: unknown) => Promise<unknown> }>
  /** Milliseconds for a run. @default 30000 */
  timeout?: number
  /** MiB of memory for a run. @default 128 */
  memoryLimit?: number
}

/** What a run ended with. `code` is the reason on the bus. Lines of `console.error` and `console.warn` begin with `ERROR: `. */
export type IsolateResult<T = unknown> = {
  success: boolean
  value?: T
  error?: { name: string; message: string; code?: string }
  logs?: string[]
}

/** The `IsolateDriver` of `@tanstack/ai-code-mode`. */
export interface CodeIsolateDriver {
  /** Returns a context, which has no sandbox until code runs. `dispose` ends its runs. */
  createContext: (config: IsolateConfig) => Promise<{
    execute: <T = unknown>(code: string) => Promise<IsolateResult<T>>
    dispose: () => Promise<void>
  }>
}

/**
 * Returns a driver for `createCodeMode` of `@tanstack/ai-code-mode`, which sets the timeout and the memory. Each execution is one `bus.run`:
 * a context keeps no variables.
 *
 * @example createCodeMode({ driver: toIsolateDriver(bus), tools, timeout: 10_000, memoryLimit: 64 })
 */
export function toIsolateDriver(bus: Bus, shared: Omit<CodeModeOptions, 'timeout'> = {}): CodeIsolateDriver {
  checkRunOptions('toIsolateDriver', shared, ['args', 'functions', 'timeout'])
  return {
    async createContext({ bindings, timeout = 30_000, memoryLimit: memory = 128 }) {
      const toRun =
        (name: string): RunTool =>
        ([args = {}]) =>
          bindings[name]!.execute(args)
      const groups = [{ tools: createTools(Object.keys(bindings), toRun) }]
      const disposing = new AbortController()
      let running: Promise<unknown> = Promise.resolve()
      return {
        async execute<T>(code: string): Promise<IsolateResult<T>> {
          const options = { ...shared, timeout, limits: { ...shared.limits, memory } }
          const run = runCode(bus, { code, groups, options, signal: disposing.signal, errorPrefix: 'ERROR: ' })
          running = Promise.allSettled([running, run]).then(() => {})
          const { value, logs, error } = await run
          if (!error) return { success: true, value: value as T, logs }
          return { success: false, error: { name: error.name, message: error.message, code: error.reason }, logs }
        },
        async dispose() {
          disposing.abort()
          await running
        },
      }
    },
  }
}
