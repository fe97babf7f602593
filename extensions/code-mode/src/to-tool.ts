// A tool of the AI SDK, which runs code that calls other tools.
import { isDeepStrictEqual } from 'node:util'
import { type Bus, BusError } from '@sallyport/core'
import {
  checkRunOptions,
  escapeHidden,
  getQuestions,
  OBJECT,
  RunInterrupt,
  STRING,
  toDocComment,
  toJsonSchema,
  toSchemaType,
} from '@sallyport/core/internal'
import { type AnsweredRun, type CodeError, type CodeModeOptions, type InterruptedCode, runCode } from './run-code.js'
import { createTools, type RunTool } from './tool-globals.js'

/**
 * A tool of the AI SDK that code can call. One that has no `execute` is left out, and one with `needsApproval` interrupts the code. Schemas are Standard
 * Schemas, or those of the AI SDK; `outputSchema` is for the declaration that the model reads. Of an `async function*`, the code gets the last value.
 */
export type CallableTool = {
  readonly description?: unknown
  readonly inputSchema?: unknown
  readonly outputSchema?: unknown
  readonly needsApproval?: unknown
  readonly execute?: ((input: never, context: never) => unknown) | undefined
}

/** Options of `toTool`. */
export interface ToolOptions extends CodeModeOptions {
  /** Tools for the code, as members of its global `tools`. @default {} */
  tools?: Readonly<Record<string, CallableTool>>
  /** Text for the model after the declarations of the tools, such as those of `bus.describe`. */
  instructions?: string
}

/** What the model sends: TypeScript or JavaScript, as the body of an async function, an expression, or a function. */
export type CodeInput = {
  code: string
  /** Goes on with code that waits for an approval: what `execute` has returned, and the answer. No model can send it. */
  interruptedRun?: AnsweredRun
}

/** What the model receives: what the code returned, or why it failed, and the lines that it printed, if any. */
export type CodeOutput = { result?: unknown; logs?: string[]; error?: CodeError } & (
  | { status?: undefined }
  | WaitingCode
)

/** Not for the model: the code waits for the approval of a tool. */
type WaitingCode = Omit<InterruptedCode, 'data'> & { data: { question: string; tool: string; input: unknown } }

/** The tool, for `tools` of `generateText`, `streamText` and agents. */
export interface CodeTool {
  /** What the model reads: how to write code, the declarations of the tools, and the instructions. */
  description: string
  /** A Standard Schema with its JSON Schema. */
  inputSchema: {
    '~standard': {
      version: 1
      vendor: 'sallyport'
      validate(value: unknown): { value: CodeInput } | { issues: { message: string }[] }
      jsonSchema: Record<'input' | 'output', () => Record<string, unknown>>
    }
  }
  /** Runs code. @throws {BusError} InvalidParams for wrong options; Cancelled if a signal aborts; another reason if the sandbox cannot start */
  execute(
    input: CodeInput,
    context?: { toolCallId?: string; abortSignal?: AbortSignal | undefined },
  ): Promise<CodeOutput>
  /** What the model reads of an output: of code that waits, only that. */
  toModelOutput(given: { output: CodeOutput }): { type: 'text'; value: string }
}

const PROPERTIES = { code: { type: 'string', description: 'The body of an async function' } }
const toInputSchema = () => ({
  type: 'object',
  properties: PROPERTIES,
  required: ['code'],
  additionalProperties: false,
})
const inputSchema: CodeTool['inputSchema'] = {
  '~standard': {
    version: 1,
    vendor: 'sallyport',
    validate: value => {
      const { code }: Partial<CodeInput> = Object(value)
      return typeof code === 'string' ? { value: { code } } : { issues: [{ message: 'code must be a string' }] }
    },
    jsonSchema: { input: toInputSchema, output: toInputSchema },
  },
}

const NO_KEY = 'needs approval, and the bus has no key. Pass createBus({ runs: { key } }) 32 secret bytes'
const INTRODUCTION = `Runs TypeScript or JavaScript in a sandbox, without a network and files. The code is the body of an async function: use
await, and return the result as JSON. Call independent tools with Promise.all. console.log prints to the logs.`

/**
 * Returns a tool of the AI SDK with which a model runs code. The code can call `tools`, and commands of the bus that `allow` names. Each call
 * is one `bus.run`. What the code throws is in the tool's result, for the model to correct.
 *
 * @example generateText({ model, tools: { run_code: toTool(bus, { tools: { search }, timeout: 10_000 }) }, stopWhen: isStepCount(5), prompt })
 */
export function toTool(bus: Bus, input: ToolOptions = {}): CodeTool {
  checkRunOptions('toTool', input, ['args', 'functions'], { tools: OBJECT, instructions: STRING })
  const { tools = {}, instructions, ...options } = input
  const callable = Object.keys(tools).filter(name => tools[name]!.execute)
  const declarations = callable.map(name => declare(name, tools[name]!)).join('\n')
  const declaration = declarations && `\n\ndeclare const tools: {\n${declarations}\n}`
  return {
    description: `${INTRODUCTION}${declaration}${instructions ? `\n\n${instructions}` : ''}`,
    inputSchema,
    async execute({ code, interruptedRun: resumed }, context = {}) {
      const { toolCallId: id = 'run_code', abortSignal: signal } = context
      // Code goes on once all calls that it makes at once are answered. An id is that of one call, also after that.
      const { approved = [], calls = 0 }: { approved?: unknown[]; calls?: number } = Object(resumed?.data)
      let count = calls
      const approvals = resumed?.answer === true ? [...approved, toApproval(resumed.data)] : [...approved]
      const toRun =
        (name: string): RunTool =>
        async ([args = {}], abortSignal) => {
          const tool = tools[name]!
          const call = { ...context, toolCallId: `${id}-${++count}`, abortSignal } as never
          const input = await validate(name, tool.inputSchema, args)
          const { needsApproval } = tool
          const mustAsk =
            typeof needsApproval === 'function' ? await needsApproval(input, call) : (needsApproval ?? false)
          // Whatever is no `false` is asked for.
          if (mustAsk !== false) {
            checkShown(name, args)
            const question = toQuestion(name, args)
            if (!getQuestions(bus).hasKey) throw new BusError('Denied', `${JSON.stringify(name)} ${NO_KEY}`)
            const approval = approvals.indexOf(question)
            if (approval < 0) throw new RunInterrupt({ question, tool: name, input: args })
            approvals.splice(approval, 1)
          }
          return takeLast(await tool.execute!(input as never, call))
        }
      const groups = callable.length > 0 ? [{ namespace: 'tools', tools: createTools(callable, toRun) }] : []
      const { value, logs, error, interrupted } = await runCode(bus, { code, groups, options, signal, resumed })
      const printed = logs.length > 0 && { logs }
      if (interrupted && toApproval(interrupted.data)) {
        const data = { ...(interrupted.data as WaitingCode['data']), approved: approvals, calls: count }
        return { ...interrupted, data, ...printed }
      }
      // The host's own decision, not an error for the model.
      if (error?.reason === 'Cancelled' && (signal?.aborted || options.signal?.aborted))
        throw new BusError('Cancelled', error.message)
      return { ...(error ? { error } : { result: value }), ...printed }
    },
    toModelOutput({ output: { status, ...output } }) {
      if (!status) return { type: 'text', value: JSON.stringify(output) }
      const { continuation: _, data, ...printed } = output as Partial<WaitingCode>
      const waits = `The call of the tool ${JSON.stringify(data?.tool)} waits for the approval of a person`
      return { type: 'text', value: JSON.stringify({ waits, ...printed }) }
    },
  }
}

const toQuestion = (tool: string, input: unknown): string =>
  escapeHidden(`Run the tool ${JSON.stringify(tool)} with ${JSON.stringify(input)}?`)

/**
 * Returns what a person approves, once: the call that the question shows. `undefined` for the data of a command, which can be the code's own:
 * a yes to "Continue?" is none for the call that stands beside it.
 */
function toApproval(data: unknown): string | undefined {
  const { question, tool, input }: { question?: unknown; tool?: unknown; input?: unknown } = Object(data)
  const shown = typeof tool === 'string' ? toQuestion(tool, input) : undefined
  return question === shown ? shown : undefined
}

/** @throws {BusError} InvalidParams for what the question would show as something else, such as `Infinity` as `null` */
function checkShown(name: string, args: unknown): void {
  if (isJson(args)) return
  const text = `The arguments of the tool ${JSON.stringify(name)} are not JSON, in which a person is asked. Pass strings instead`
  throw new BusError('InvalidParams', text)
}

function isJson(value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), value)
  } catch {
    return false
  }
}

function declare(name: string, { description, inputSchema: input, outputSchema }: CallableTool): string {
  const comment = typeof description === 'string' ? `${toDocComment(description)}\n` : ''
  const subject = `of the tool ${JSON.stringify(name)}`
  const result = toSchemaType(getJsonSchema(outputSchema, 'output', `The result ${subject}`))
  const args = toSchemaType(getJsonSchema(input, 'input', `The arguments ${subject}`))
  return `${comment}${JSON.stringify(name)}(args: ${args}): Promise<${result}>`
}

/** Returns the last value of a tool that is an `async function*`: the others are preliminary. */
async function takeLast(output: unknown): Promise<unknown> {
  if (typeof Object(output)[Symbol.asyncIterator] !== 'function') return output
  let last: unknown
  for await (const value of output as AsyncIterable<unknown>) last = value
  return last
}

// Schemas of the AI SDK's tools: Standard Schemas, its own `jsonSchema(…)`, and functions that return one.

interface Checked {
  success?: unknown
  value?: unknown
  issues?: readonly { message: string; path?: readonly unknown[] }[]
  error?: Error
}
type Validate = (value: unknown) => Checked | Promise<Checked>
type Side = 'input' | 'output'

interface AnySchema {
  '~standard'?: { validate: Validate }
  jsonSchema?: unknown
  validate?: Validate
}

const getSchema = (schema: unknown): AnySchema =>
  Object(typeof schema === 'function' && !('~standard' in schema) ? schema() : schema)

/** Returns the JSON Schema of what a tool takes or returns. `undefined` without one, or with one that cannot be converted. */
function getJsonSchema(schema: unknown, side: Side, subject: string): unknown {
  try {
    const found = getSchema(schema)
    return found['~standard'] ? toJsonSchema(found, side, subject) : found.jsonSchema
  } catch {
    return undefined
  }
}

/** Returns the output of the schema. @throws {BusError} InvalidParams for a value that it refuses */
async function validate(name: string, schema: unknown, value: unknown): Promise<unknown> {
  const checked = getSchema(schema)
  const checker = checked['~standard'] ?? checked
  if (!checker.validate) return value
  const result: Checked = Object(await checker.validate(value))
  const { success = true, issues, error } = result
  if (success === true && !issues && !error && 'value' in result) return result.value
  const texts = issues?.map(({ message, path = [] }) => [...path.map(toKey), message].join(': ')) ?? [error?.message]
  const text = `The arguments of the tool ${JSON.stringify(name)} are invalid: ${texts.join('; ')}`
  throw new BusError('InvalidParams', text)
}

const toKey = (step: unknown): string => String((Object(step) as { key?: unknown }).key ?? step)
