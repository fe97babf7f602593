// A code mode transport of `@mastra/core`.
import type { Bus } from '@sallyport/core'
import { checkRunOptions } from '@sallyport/core/internal'
import { type CodeModeOptions, runCode } from './run-code.js'
import { createTools, type RunTool } from './tool-globals.js'

/** What Mastra asks of a run. */
export type TransportRun = {
  /** TypeScript or JavaScript, as the body of an async function, an expression, or a function. */
  program: string
  /** Tools, each of which is a global function `external_<id>` of the program. */
  toolIds: string[]
  /** Runs a tool. */
  dispatch: (tool: string, args: unknown) => Promise<unknown>
  /** Milliseconds. */
  timeout: number
  /** Ends the run. */
  abortSignal?: AbortSignal
  onExternalCall?: (tool: string, args: unknown) => void
  onExternalResult?: (tool: string, durationMs: number, error?: unknown) => void
}

/** The `CodeModeTransport` of `@mastra/core`. */
export interface CodeTransport {
  /** The bus has the sandbox: Mastra needs none. */
  readonly requiresSandbox: false
  /** Runs a program, and resolves with its result or its error, and the lines that it printed. */
  run(run: TransportRun): Promise<{
    success: boolean
    result?: unknown
    logs?: string[]
    error?: { message: string; name?: string; line?: number }
  }>
}

/**
 * Returns a transport for `createCodeMode` of `@mastra/core/tools`, which sets the timeout. Each program is one `bus.run`.
 *
 * @example createCodeMode({ tools, timeout: 10_000 }, toTransport(bus, { limits: { memory: 64 } }))
 */
export function toTransport(bus: Bus, shared: Omit<CodeModeOptions, 'timeout'> = {}): CodeTransport {
  checkRunOptions('toTransport', shared, ['args', 'functions', 'timeout'])
  return {
    requiresSandbox: false,
    async run({ program: code, toolIds, dispatch, timeout, abortSignal: signal, onExternalCall, onExternalResult }) {
      const toRun =
        (id: string): RunTool =>
        ([args = {}]) => {
          const start = performance.now()
          const onResult = (error?: unknown): void => onExternalResult?.(id, performance.now() - start, error)
          const running = dispatch(id, args)
          // What these throw is no error of the tool.
          const calling = Promise.resolve().then(() => onExternalCall?.(id, args))
          void Promise.allSettled([calling, running.then(() => onResult(), onResult)])
          return running
        }
      const groups = [{ tools: createTools(toolIds, toRun, toGlobalName) }]
      const options = { ...shared, timeout }
      const { value, logs, error } = await runCode(bus, { code, groups, options, signal })
      if (!error) return { success: true, result: value, logs }
      const { reason: _, ...rest } = error
      return { success: false, error: rest, logs }
    },
  }
}

/** Returns the name of a tool as Mastra declares it to the model. */
function toGlobalName(id: string): string {
  const name = id.replaceAll(/[^\w$]/g, '_')
  return `external_${/^(?:\d|$)/.test(name) ? '_' : ''}${name}`
}
