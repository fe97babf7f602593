// The tools of a label: the commands that it may call, under names that every client takes, and the calls of them.
import {
  type CallToolResult,
  type InputRequiredResult,
  isSpecType,
  ProtocolError,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server'
import { BusError, type Client, type CommandDescription } from '@sallyport/core'
import { Channel } from '@sallyport/frontend'
import { toBase64, toJson } from '../shared/json.js'
import { findShared, PROGRESS_ARGUMENT, type Unserved } from '../shared/tools.js'
import { toObjectSchema } from './input-schema.js'
import { type AskingCall, getUser, isInterrupted, RESUME_ARGUMENT, type Rounds, toQuestion } from './rounds.js'
import { watchReader } from './serve-http.js'
import type { Outcome, WaitingCalls } from './waiting-calls.js'

export interface ServedTool {
  readonly command: CommandDescription
  readonly tool: Tool
  /** True if the command takes a channel `onProgress`. */
  readonly takesProgress: boolean
  /** True if it has to get one, also for a client that asks for no progress. */
  readonly needsProgress: boolean
  /** True if the command takes `interruptedRun`, with the user's answer. */
  readonly asks: boolean
}

const MAX_NAME_LENGTH = 64

export function getTools(commands: readonly CommandDescription[]): {
  readonly tools: ReadonlyMap<string, ServedTool>
  readonly unserved: Unserved
} {
  const unserved = findShared(
    commands.map(({ command }) => command),
    'tool name',
    toToolName,
    false,
  )
  const tools = new Map<string, ServedTool>()
  for (const command of commands) {
    const name = toToolName(command.command)
    if (name.length > MAX_NAME_LENGTH) unserved.set(command.command, `its tool name is longer than ${MAX_NAME_LENGTH}`)
    else if (!unserved.has(command.command)) tools.set(name, toTool(name, command))
  }
  return { tools, unserved }
}

/** `greet` stays, `plugin:fs|read_file` becomes `fs__read_file`. */
const toToolName = (command: string): string =>
  command.replace(/^plugin:([^|]*)\|/, '$1__').replaceAll(/[^A-Za-z0-9_-]/g, '_')

function toTool(name: string, command: CommandDescription): ServedTool {
  const { description, args, result } = command
  const schema = toObjectSchema(args)
  const properties = (schema['properties'] ?? {}) as Record<string, unknown>
  const [takesProgress, asks] = HIDDEN_ARGUMENTS.map(name => Object.hasOwn(properties, name)) as [boolean, boolean]
  const shown = leaveOutHidden(properties)
  const required = [schema['required'] ?? []].flat()
  const needsProgress = required.includes(PROGRESS_ARGUMENT)
  const isShown = (name: unknown): boolean => !HIDDEN_ARGUMENTS.some(each => each === name)
  const inputSchema = {
    ...schema,
    ...((takesProgress || asks) && { properties: shown, required: required.filter(isShown) }),
  }
  // Clients of the older protocol take structured results that are objects, and no others.
  const isObject = result?.['type'] === 'object' && !command.isStream
  const tool = {
    name,
    ...(description !== undefined && { description }),
    inputSchema,
    ...(isObject && { outputSchema: result }),
  } as Tool
  return { command, tool, takesProgress, needsProgress, asks: asks && !command.isStream }
}

/** Arguments that no client has: the service passes them. */
const HIDDEN_ARGUMENTS = [PROGRESS_ARGUMENT, RESUME_ARGUMENT] as const

const leaveOutHidden = (args: Record<string, unknown>): Record<string, unknown> => {
  const { [PROGRESS_ARGUMENT]: _progress, [RESUME_ARGUMENT]: _resume, ...shown } = args
  return shown
}

/** Values of a stream that a result has at most. */
const MAX_VALUES = 1000

export interface ToolCall extends AskingCall {
  readonly served: ServedTool
  readonly client: Client
  readonly rounds: Rounds
  readonly waiting: WaitingCalls
  /** True if the client can ask its user. */
  readonly canAsk: boolean
  readonly timeout: number | undefined
}

/** An error is a result for the model. @throws {ProtocolError} InvalidParams for a state that is of another call */
export async function callTool(call: ToolCall): Promise<CallToolResult | InputRequiredResult> {
  const { client, served, args, context, timeout, rounds, waiting, canAsk } = call
  const { signal } = context.mcpReq
  const report = createProgress(context)
  const { command, isStream } = served.command
  const options = { signal, ...(timeout !== undefined && { timeout }) }
  try {
    const { asked, outcome, answered } = (await rounds.receive(call)) ?? {}
    if (asked) return asked
    if (outcome) return toResult(outcome, served.tool)
    const shown = leaveOutHidden(args)
    if (isStream) return await readStream(client.stream(command, shown, options), report)
    const isAsked = context.mcpReq._meta?.progressToken !== undefined || served.needsProgress
    const progress = served.takesProgress && isAsked && { [PROGRESS_ARGUMENT]: new Channel(report) }
    const own = { ...shown, ...progress, ...(answered && { [RESUME_ARGUMENT]: answered }) }
    const input = { command, args: own, timeout, signal, user: getUser(context) }
    if (canAsk && !served.asks) {
      const terms = { binding: rounds.getBinding(call), isHeld: context.mcpReq.envelope === undefined }
      return toResult(await waiting.call({ ...input, ...terms }), served.tool)
    }
    const value = await client.invoke(command, own, options)
    return served.asks && isInterrupted(value) ? await rounds.ask(call, value) : toToolResult(value, served.tool)
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    return toToolError(error)
  }
}

const toResult = (outcome: Outcome, tool: Tool): CallToolResult | InputRequiredResult =>
  'value' in outcome ? toToolResult(outcome.value, tool) : toQuestion(outcome.question, outcome.state)

async function readStream(stream: AsyncIterable<unknown>, report: (value: unknown) => void): Promise<CallToolResult> {
  const content: CallToolResult['content'] = []
  for await (const value of stream) {
    if (content.length >= MAX_VALUES) throw new BusError('Overloaded', `The stream has more than ${MAX_VALUES} values`)
    report(value)
    content.push(...toToolResult(value).content)
  }
  return { content }
}

/** Progress that waits for a client. What comes later says more. */
const MAX_PENDING = 100

/** Returns a function that reports to the client, if it has asked for progress and reads it: `{ progress, total, message }`, or any value as a message. */
function createProgress({ mcpReq }: ServerContext): (value: unknown) => void {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return () => {}
  const isBehind = watchReader()
  let pending = 0
  let last: number | undefined
  return value => {
    if (pending >= MAX_PENDING || isBehind()) return
    const { progress, total, message }: Record<string, unknown> = Object(value)
    // The protocol wants it to grow.
    last = typeof progress === 'number' && (last === undefined || progress > last) ? progress : (last ?? 0) + 1
    const text = typeof message === 'string' ? message : typeof progress === 'number' ? undefined : toText(value)
    const params = {
      ...{ progressToken, progress: last },
      ...(typeof total === 'number' && { total }),
      ...(text !== undefined && { message: text }),
    }
    pending++
    const settle = (): void => void pending--
    // An error: the client has left.
    mcpReq.notify({ method: 'notifications/progress', params }).then(settle, settle)
  }
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(toJson(value)) ?? ''))

/**
 * A text stays, bytes become a binary resource, and anything else is JSON; an object is the structured content too. A value that has what a result of
 * MCP has, and no more, is one already: blocks of text, images, audio and resources.
 */
function toToolResult(given: unknown, { outputSchema }: Partial<Tool> = {}): CallToolResult {
  if (given instanceof Uint8Array) {
    const resource = {
      uri: 'data:application/octet-stream',
      mimeType: 'application/octet-stream',
      blob: toBase64(given),
    }
    return { content: [{ type: 'resource', resource }] }
  }
  const value = toJson(given)
  if (isToolResult(value)) {
    // Clients refuse a result without what the schema describes.
    return outputSchema && !value.isError ? { structuredContent: { ...value }, ...value } : value
  }
  if (value === undefined || value === null) return { content: [] }
  const content = [{ type: 'text' as const, text: typeof value === 'string' ? value : JSON.stringify(value) }]
  if (typeof value !== 'object' || Array.isArray(value)) return { content }
  return { content, structuredContent: value as Record<string, unknown> }
}

const RESULT_MEMBERS = new Set(['content', 'structuredContent', 'isError', '_meta'])

/** A document can have a `content`, too, which can be empty: its other members would be lost. */
const isToolResult = (value: unknown): value is CallToolResult =>
  Array.isArray(Object(value).content) &&
  Object.keys(Object(value)).every(key => RESULT_MEMBERS.has(key)) &&
  isSpecType.CallToolResult(value)

/** Returns a failed call as a result, which a model can read: a tool that failed is no failure of the protocol. */
function toToolError(error: unknown): CallToolResult {
  const { reason, commandCode, message } = error as { reason?: string; commandCode?: string; message?: string }
  const name = commandCode ?? reason
  const text = name === undefined ? String(message ?? error) : `${name}: ${message}`
  return { content: [{ type: 'text', text }], isError: true }
}
