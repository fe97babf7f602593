// The tools of a label: the commands that it may call, under names that every client takes.
import type { Tool } from '@modelcontextprotocol/server'
import type { CommandDescription, JsonSchema } from '@sallyport/core'
import { PROGRESS_ARGUMENT } from '../shared/progress-argument.js'

/** A command that is served as a tool. */
export interface ServedTool {
  readonly command: CommandDescription
  readonly tool: Tool
  /** True if the command takes a channel `onProgress`. */
  readonly takesProgress: boolean
}

const MAX_NAME_LENGTH = 64

/**
 * Returns the tools by name. A name that two commands would share has neither: which of them a client calls must not depend on the rights that it
 * has at the moment.
 */
export function getTools(commands: readonly CommandDescription[]): ReadonlyMap<string, ServedTool> {
  const tools = new Map<string, ServedTool>()
  const shared = new Set<string>()
  for (const command of commands) {
    const name = toToolName(command.command)
    if (name === undefined || shared.has(name)) continue
    if (tools.delete(name)) shared.add(name)
    else tools.set(name, toTool(name, command))
  }
  return tools
}

/** `greet` stays, `plugin:fs|read_file` becomes `fs__read_file`. Returns `undefined` for a name that is too long. */
function toToolName(command: string): string | undefined {
  const name = command.replace(/^plugin:([^|]*)\|/, '$1__').replaceAll(/[^A-Za-z0-9_-]/g, '_')
  return name.length <= MAX_NAME_LENGTH ? name : undefined
}

function toTool(name: string, command: CommandDescription): ServedTool {
  const { description, args, result } = command
  const properties = (args?.['properties'] ?? {}) as Record<string, unknown>
  const takesProgress = Object.hasOwn(properties, PROGRESS_ARGUMENT)
  const { [PROGRESS_ARGUMENT]: _, ...shown } = properties
  const inputSchema = { ...args, ...(takesProgress && { properties: shown }), type: 'object' as const }
  const outputSchema = isObjectSchema(result) && !command.isStream ? (result as Tool['outputSchema']) : undefined
  const tool = {
    name,
    ...(description !== undefined && { description }),
    inputSchema,
    ...(outputSchema && { outputSchema }),
  } as Tool
  return { command, tool, takesProgress }
}

/** Clients of the older protocol take structured results that are objects, and no others. */
const isObjectSchema = (schema: JsonSchema | undefined): boolean => schema?.['type'] === 'object'
