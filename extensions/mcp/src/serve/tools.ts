// The tools of a label: the commands that it may call, under names that every client takes.
import type { Tool } from '@modelcontextprotocol/server'
import type { CommandDescription } from '@sallyport/core'
import { PROGRESS_ARGUMENT } from '../shared/progress-argument.js'
import { findShared, type Unserved } from '../shared/unserved.js'

/** A command that is served as a tool. */
export interface ServedTool {
  readonly command: CommandDescription
  readonly tool: Tool
  /** True if the command takes a channel `onProgress`. */
  readonly takesProgress: boolean
  /** True if it has to get one, also for a client that asks for no progress. */
  readonly needsProgress: boolean
}

const MAX_NAME_LENGTH = 64

/** Returns the tools by name, and why other commands are none. */
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
  const properties = (args?.['properties'] ?? {}) as Record<string, unknown>
  const takesProgress = Object.hasOwn(properties, PROGRESS_ARGUMENT)
  const { [PROGRESS_ARGUMENT]: _, ...shown } = properties
  const required = [args?.['required'] ?? []].flat()
  const needsProgress = required.includes(PROGRESS_ARGUMENT)
  const inputSchema = {
    ...args,
    ...(takesProgress && { properties: shown, required: required.filter(name => name !== PROGRESS_ARGUMENT) }),
    type: 'object' as const,
  }
  // Clients of the older protocol take structured results that are objects, and no others.
  const isObject = result?.['type'] === 'object' && !command.isStream
  const tool = {
    name,
    ...(description !== undefined && { description }),
    inputSchema,
    ...(isObject && { outputSchema: result }),
  } as Tool
  return { command, tool, takesProgress, needsProgress }
}
