// The accepted tools of a server as commands of a core plugin.
import type { CallToolResult, Client } from '@modelcontextprotocol/client'
import { type AddedCommand, type AddedPlugin, BusError, type Channel, command, CommandError } from '@sallyport/core'
import { describeOnly } from '../shared/describe-only.js'
import { PROGRESS_ARGUMENT } from '../shared/progress-argument.js'
import { findShared, type Unserved } from '../shared/unserved.js'
import type { PinnedTool } from './tool-pin.js'

const TOOL_NAME = /^(?!__proto__$)[A-Za-z0-9_.-]{1,128}$/
/** Levels of a tool: a message of core has 64, some of which are around it. */
const MAX_LEVELS = 48

const toPermission = (tool: string): string => `allow-${tool.replaceAll('_', '-')}`

/** Returns why tools can be no commands, by their names. */
export function findUnserved(server: string, tools: readonly PinnedTool[]): Unserved {
  const names = tools.map(({ name }) => name)
  const unserved = findShared(names, 'permission', name => `${server}:${toPermission(name)}`)
  for (const tool of tools) {
    if (!isSendable(tool))
      unserved.set(tool.name, `it is nested deeper than ${MAX_LEVELS}, or has a member "__proto__"`)
    if (!TOOL_NAME.test(tool.name))
      unserved.set(tool.name, 'its name is not 1 to 128 of A-Z, a-z, 0-9, "_", "-" and "."')
  }
  return unserved
}

const isSendable = (value: unknown, levels = MAX_LEVELS): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 &&
    !Object.hasOwn(value, '__proto__') &&
    Object.values(value).every(member => isSendable(member, levels - 1)))

export interface ToolCommandsOptions {
  /** Name of the server. */
  readonly name: string
  readonly tools: readonly PinnedTool[]
  readonly timeout: number
  /** @throws {BusError} Disconnected while the server does not run */
  readonly getClient: () => Client
  /** Returns why a tool is refused. */
  readonly getRefusal: (tool: string) => string | undefined
}

/** Returns a plugin without `teardown`: `plugin:<name>|<tool>`, with all of its tools as `default`. */
export function createToolPlugin(options: ToolCommandsOptions): AddedPlugin {
  const { name, tools } = options
  const commands = Object.fromEntries(tools.map(tool => [tool.name, toCommand(tool, options)]))
  return { name, commands, permissions: [{ default: { permissions: tools.map(tool => toPermission(tool.name)) } }] }
}

function toCommand(tool: PinnedTool, options: ToolCommandsOptions): AddedCommand {
  const { name, description, inputSchema } = tool
  const { getClient, getRefusal, timeout } = options
  const subject = `The tool ${JSON.stringify(name)} of the MCP server ${JSON.stringify(options.name)}`
  const properties = { ...(inputSchema.properties as object), [PROGRESS_ARGUMENT]: {} }
  // The server checks its arguments itself.
  const args = describeOnly({ ...inputSchema, properties })
  const run = async (given: Record<string, unknown>, context: unknown): Promise<unknown> => {
    const { signal } = context as { signal: AbortSignal }
    const refusal = getRefusal(name)
    if (refusal !== undefined) throw new BusError('Denied', `${subject} was refused: ${refusal}`)
    const { [PROGRESS_ARGUMENT]: progress, ...own } = given
    let sent = Promise.resolve()
    const onprogress = (value: unknown): void => {
      if (isChannel(progress)) sent = progress.send(value).catch(() => {})
    }
    const deadline = { signal, timeout, onprogress, resetTimeoutOnProgress: true }
    const params = { name, arguments: own }
    const result = (await getClient().request({ method: 'tools/call', params }, deadline)) as CallToolResult
    // The channel ends with the call.
    await sent
    return toValue(subject, result)
  }
  return command({ ...(description !== undefined && { description }), args }, run)
}

const isChannel = (value: unknown): value is Channel => typeof (value as Channel | undefined)?.send === 'function'

/** Returns `{ content, structuredContent }` of a result. @throws {CommandError} TOOL_FAILED, with the text for the model */
function toValue(subject: string, { content, structuredContent, isError }: CallToolResult): unknown {
  if (!isError) return { content, ...(structuredContent !== undefined && { structuredContent }) }
  const texts = content.flatMap(block => (block.type === 'text' ? [block.text] : []))
  throw new CommandError('TOOL_FAILED', texts.join('\n') || `${subject} failed`, { data: content })
}
