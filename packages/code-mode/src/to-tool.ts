// A tool of the AI SDK, which runs code that calls other tools.
import { type Bus, toDocComment, toSchemaType } from '@sallyport/core'
import type { CodeModeOptions } from './options.js'
import { type CodeError, runCode } from './run-code.js'
import { detectLanguage } from './language.js'
import { type RunTool, setTool } from './tool-globals.js'
import { getJsonSchema, validate } from './tool-schema.js'

/** A tool of the AI SDK that code can call. One that has no `execute`, or has `needsApproval`, is left out. */
export interface CallableTool {
  /** What the model reads of it, if it is a string. */
  readonly description?: unknown
  /** Schema of its arguments: a Standard Schema, or one of the AI SDK. */
  readonly inputSchema?: unknown
  /** Schema of its result, for the declaration that the model reads. */
  readonly outputSchema?: unknown
  /** Anything but false leaves the tool out. */
  readonly needsApproval?: unknown
  /** Runs in the host. Of an `async function*`, the code gets the last value. */
  readonly execute?: ((input: never, context: never) => unknown) | undefined
}

/** Options of `toTool`. */
export interface ToolOptions extends CodeModeOptions {
  /** Tools for the code, as members of its global `tools`. @default {} */
  tools?: Readonly<Record<string, CallableTool>>
  /** Text for the model after the declarations of the tools, such as those of `bus.describe`. */
  instructions?: string
}

/** What the model sends. */
export interface CodeInput {
  /** TypeScript or JavaScript, the body of an async function. */
  code: string
}

/** What the model receives. */
export interface CodeOutput {
  /** What the code returned. Absent if it failed. */
  result?: unknown
  /** The lines that the code printed. Absent if there are none. */
  logs?: string[]
  /** Why the code failed. Absent if it returned. */
  error?: CodeError
}

/** The tool, for `tools` of `generateText`, `streamText` and agents. */
export interface CodeTool {
  /** What the model reads: how to write code, the declarations of the tools, and the instructions. */
  description: string
  /** A Standard Schema with its JSON Schema. */
  inputSchema: CodeInputSchema
  /** Runs code. @throws {BusError} InvalidParams for wrong options; another reason if the sandbox cannot start */
  execute(input: CodeInput, context: { toolCallId: string; abortSignal?: AbortSignal | undefined }): Promise<CodeOutput>
}

/** The schema of `CodeInput`. */
export interface CodeInputSchema {
  /** Members of the Standard Schema and the Standard JSON Schema. */
  '~standard': {
    version: 1
    vendor: 'sallyport'
    validate(value: unknown): { value: CodeInput } | { issues: { message: string }[] }
    jsonSchema: Record<'input' | 'output', () => Record<string, unknown>>
  }
}

const PROPERTIES = { code: { type: 'string', description: 'The body of an async function' } }
const JSON_SCHEMA = { type: 'object', properties: PROPERTIES, required: ['code'], additionalProperties: false }

const inputSchema: CodeInputSchema = {
  '~standard': {
    version: 1,
    vendor: 'sallyport',
    validate: value => {
      const { code } = Object(value) as Partial<CodeInput>
      return typeof code === 'string' ? { value: { code } } : { issues: [{ message: 'code must be a string' }] }
    },
    jsonSchema: { input: () => JSON_SCHEMA, output: () => JSON_SCHEMA },
  },
}

const INTRODUCTION = `Runs TypeScript or JavaScript in a sandbox, without a network and files. The code is the body of an async function: use
await, and return the result as JSON. Call independent tools with Promise.all. console.log prints to the logs.`

/**
 * Returns a tool of the AI SDK with which a model runs code. The code can call `tools`, and commands of the bus that `allow` names. Each call
 * is one `bus.run`. What the code throws is in the tool's result, for the model to correct.
 *
 * @example generateText({ model, tools: { run_code: toTool(bus, { tools: { search }, timeout: 10_000 }) }, stopWhen: isStepCount(5), prompt })
 */
export function toTool(bus: Bus, { tools = {}, instructions, ...options }: ToolOptions = {}): CodeTool {
  const callable = Object.entries(tools).filter(([, { execute, needsApproval }]) => execute && !needsApproval)
  const declarations = callable.map(([name, tool]) => declare(name, tool)).join('\n')
  const declaration = declarations && `\n\ndeclare const tools: {\n${declarations}\n}`
  return {
    description: `${INTRODUCTION}${declaration}${instructions ? `\n\n${instructions}` : ''}`,
    inputSchema,
    async execute({ code }, context) {
      let count = 0
      const runs = new Map<string, RunTool>()
      for (const [name, tool] of callable) {
        setTool(runs, name, async ([args = {}], abortSignal) => {
          const toolCallId = `${context.toolCallId}-${++count}`
          const input = await validate(name, tool.inputSchema, args)
          return takeLast(await tool.execute!(input as never, { ...context, toolCallId, abortSignal } as never))
        })
      }
      const groups = callable.length > 0 ? [{ namespace: 'tools', tools: runs }] : []
      const run = { code, language: detectLanguage(code), groups, options, signal: context.abortSignal }
      const { value, logs, error } = await runCode(bus, run)
      return { ...(error ? { error } : { result: value }), ...(logs.length > 0 && { logs }) }
    },
  }
}

function declare(name: string, { description, inputSchema: input, outputSchema }: CallableTool): string {
  const comment = typeof description === 'string' ? `${toDocComment(description)}\n` : ''
  const result = toSchemaType(getJsonSchema(outputSchema, 'output'))
  return `${comment}${JSON.stringify(name)}(args: ${toSchemaType(getJsonSchema(input, 'input'))}): Promise<${result}>`
}

/** Returns the last value of a tool that is an `async function*`: the others are preliminary. */
async function takeLast(output: unknown): Promise<unknown> {
  if (typeof Object(output)[Symbol.asyncIterator] !== 'function') return output
  let last: unknown
  for await (const value of output as AsyncIterable<unknown>) last = value
  return last
}
