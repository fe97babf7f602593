// The accepted tools of a server as commands of a core plugin.
import type { CallToolResult, Client } from '@modelcontextprotocol/client'
import { type AddedCommand, type AddedPlugin, BusError, type Channel, command, CommandError } from '@sallyport/core'
import { describeOnly } from '../shared/describe-only.js'
import { PROGRESS_ARGUMENT } from '../shared/progress-argument.js'
import type { PinnedTool } from './tool-pin.js'

const TOOL_NAME = /^[A-Za-z0-9_.-]{1,128}$/

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
  const tools = options.tools.filter(({ name }) => TOOL_NAME.test(name))
  const commands = Object.fromEntries(tools.map(tool => [tool.name, toCommand(tool, options)]))
  const allowed = new Set(tools.map(({ name }) => `allow-${name.replaceAll('_', '-')}`))
  return { name: options.name, commands, permissions: [{ default: { permissions: [...allowed] } }] }
}

function toCommand(tool: PinnedTool, options: ToolCommandsOptions): AddedCommand {
  const { name, description, inputSchema } = tool
  const { getClient, getRefusal, timeout } = options
  const properties = { ...(inputSchema.properties as object), [PROGRESS_ARGUMENT]: {} }
  // The server checks its arguments itself.
  const args = describeOnly({ ...inputSchema, properties })
  const run = async (given: Record<string, unknown>, context: unknown): Promise<unknown> => {
    const { signal } = context as { signal: AbortSignal }
    const refusal = getRefusal(name)
    if (refusal !== undefined) throw new BusError('Denied', `The tool ${JSON.stringify(name)} is refused: ${refusal}`)
    const { [PROGRESS_ARGUMENT]: progress, ...own } = given
    let sent = Promise.resolve()
    const onprogress = (value: unknown): void => {
      if (isChannel(progress)) sent = progress.send(value).catch(() => {})
    }
    const deadline = { signal, timeout, onprogress, resetTimeoutOnProgress: true }
    const result = await getClient().callTool({ name, arguments: own }, deadline)
    // The channel ends with the call.
    await sent
    return toValue(name, result)
  }
  return command({ ...(description !== undefined && { description }), args }, run)
}

const isChannel = (value: unknown): value is Channel => typeof (value as Channel | undefined)?.send === 'function'

/** Returns `{ content, structuredContent }` of a result. @throws {CommandError} TOOL_FAILED, with the text for the model */
function toValue(tool: string, { content, structuredContent, isError }: CallToolResult): unknown {
  if (!isError) return { content, ...(structuredContent !== undefined && { structuredContent }) }
  const texts = content.flatMap(block => (block.type === 'text' ? [block.text] : []))
  throw new CommandError('TOOL_FAILED', texts.join('\n') || `The tool ${JSON.stringify(tool)} failed`, {
    data: content,
  })
}
