// The options of `bus.describe`: which commands it lists, and whether as data or as declarations for a model.
import * as v from 'valibot'
import type { CommandDescription } from '../api/command-description.js'
import { toDocComment, toLiteral, toSchemaType } from '../api/schema-type.js'
import { strictOptions } from '../shared/schemas.js'
import { check, integer } from '../shared/validate.js'

/** Options of `bus.describe`. */
export interface DescribeOptions {
  /**
   * `json-schema` returns an array of descriptions; `typescript` a string with a declaration of `invoke`, or of `stream`, for each command:
   * for the prompt of a model that writes code for `bus.run`.
   *
   * @default 'json-schema'
   */
  as?: 'typescript' | 'json-schema'
  /** Words, each of which has to occur in the name or the description of a command. Case does not matter. */
  search?: string
  /** The greatest number of commands: the first ones by name. @default all */
  limit?: number
}

const describeSchema = strictOptions({
  as: v.optional(v.picklist(['typescript', 'json-schema'], '"typescript" or "json-schema"'), 'json-schema'),
  search: v.optional(v.string('a string'), ''),
  limit: v.optional(integer('a whole number from 1', 1)),
})

/** @throws {BusError} InvalidParams */
export const checkDescribeOptions = (
  options: DescribeOptions,
): Required<Pick<DescribeOptions, 'as'>> & DescribeOptions =>
  check('bus.describe', describeSchema, options, () => ['as', 'search', 'limit']) as ReturnType<
    typeof checkDescribeOptions
  >

/** Returns the commands that contain all words, and at most `limit`. */
export function selectCommands(
  commands: readonly CommandDescription[],
  { search = '', limit }: DescribeOptions,
): CommandDescription[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const isFound = ({ command, description = '' }: CommandDescription): boolean => {
    const text = `${command}\n${description}`.toLowerCase()
    return words.every(word => text.includes(word))
  }
  return commands.filter(isFound).slice(0, limit)
}

/** Returns declarations of what the commands take and return, those of the app first, then by plugin. */
export function writeDeclarations(commands: readonly CommandDescription[]): string {
  const byPlugin = new Map<string, string[]>([['', []]])
  for (const command of commands) {
    const plugin = /^plugin:[^|]*/.exec(command.command)?.[0] ?? ''
    const declarations = byPlugin.get(plugin) ?? []
    byPlugin.set(plugin, declarations)
    declarations.push(declare(command))
  }
  return [...byPlugin]
    .filter(([, declarations]) => declarations.length > 0)
    .map(([plugin, declarations]) => `${plugin === '' ? '' : `// ${plugin}\n\n`}${declarations.join('\n\n')}\n`)
    .join('\n')
}

function declare({ command, description, args, result, isStream }: CommandDescription): string {
  const comment = description === undefined || description === '' ? '' : `${toDocComment(description)}\n`
  const { required } = args ?? {}
  const isOptional = !args || (args['type'] === 'object' && !(Array.isArray(required) && required.length > 0))
  const parameters = `command: ${toLiteral(command)}, args${isOptional ? '?' : ''}: ${toSchemaType(args)}`
  const returned = isStream ? `AsyncIterableIterator<${toSchemaType(result)}>` : `Promise<${toSchemaType(result)}>`
  return `${comment}declare function ${isStream ? 'stream' : 'invoke'}(${parameters}): ${returned}`
}
