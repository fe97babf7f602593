// A code mode transport of `@mastra/core`.
import type { Bus } from '@sallyport/core'
import type { CodeModeOptions } from './options.js'
import { runCode } from './run-code.js'
import { detectLanguage } from './language.js'
import { type RunTool, setTool } from './tool-globals.js'

/** What Mastra asks of a run. */
export interface TransportRun {
  /** TypeScript or JavaScript, the body of an async function. */
  program: string
  /** Tools, each of which is a global function `external_<id>` of the program. */
  toolIds: string[]
  /** Runs a tool. */
  dispatch: (tool: string, args: unknown) => Promise<unknown>
  /** Milliseconds. */
  timeout: number
  /** Ends the run. */
  abortSignal?: AbortSignal
  /** Called when the program calls a tool. */
  onExternalCall?: (tool: string, args: unknown) => void
  /** Called when a tool has returned or thrown. */
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

/** Options of `toTransport`. */
export type TransportOptions = Omit<CodeModeOptions, 'timeout'>

/**
 * Returns a transport for `createCodeMode` of `@mastra/core/tools`, which sets the timeout. Each program is one `bus.run`.
 *
 * @example createCodeMode({ tools, timeout: 10_000 }, toTransport(bus, { memory: 64 }))
 */
export function toTransport(bus: Bus, shared: TransportOptions = {}): CodeTransport {
  return {
    requiresSandbox: false,
    async run({ program, toolIds, dispatch, timeout, abortSignal: signal, onExternalCall, onExternalResult }) {
      const tools = new Map<string, RunTool>()
      for (const id of toolIds) {
        setTool(tools, toGlobalName(id), ([args = {}]) => {
          const start = performance.now()
          const onResult = (error?: unknown): void => onExternalResult?.(id, performance.now() - start, error)
          const running = dispatch(id, args)
          // What these throw is no error of the tool.
          const calling = Promise.resolve().then(() => onExternalCall?.(id, args))
          void Promise.allSettled([calling, running.then(() => onResult(), onResult)])
          return running
        })
      }
      const run = {
        code: program,
        language: detectLanguage(program),
        groups: [{ tools }],
        options: { ...shared, timeout },
        signal,
      }
      const { value: result, logs, error } = await runCode(bus, run)
      if (!error) return { success: true, result, logs }
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
