// The options of `bus.describe`: which commands it lists, and whether as data or as declarations for a model.
import * as v from 'valibot'
import type { AllowList } from '../acl/types.js'
import { BusError } from '@sallyport/protocol/internal/errors'
import { type CommandContent, type CommandDescription, toCommandContent } from '../api/define.js'
import { toDocComment, toLiteral, toSchemaType } from '../api/schema-type.js'
import { check, type EntriesOf, integer, strictOptions } from '../shared/validate.js'
import { toAllowList } from '../options/resolve-frontend.js'
import { allowSchema } from '../options/schema.js'
import type { RunOptions, RunFunctions } from '../options/types.js'
import { prepareFunctions } from '../options/resolve-run.js'

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
  /** The option `allow` of code with this label, such as that of `bus.run`, instead of that of a frontend that is open. Capabilities apply, too. */
  allow?: RunOptions['allow']
  /** The `functions` of a run, which are declared after the commands, whatever `search` and `limit` say. Needs `as: 'typescript'`. */
  functions?: RunFunctions
}

const describeSchema = strictOptions({
  as: v.optional(v.picklist(['typescript', 'json-schema'], '"typescript" or "json-schema"'), 'json-schema'),
  search: v.optional(v.string('a string'), ''),
  limit: v.optional(integer('a whole number from 1', 1)),
  allow: v.optional(allowSchema),
  functions: v.optional(v.custom<RunFunctions>(() => true)),
} satisfies EntriesOf<DescribeOptions>)

interface CheckedOptions extends Omit<DescribeOptions, 'allow'> {
  as: 'typescript' | 'json-schema'
  allow: AllowList | undefined
}

/** @throws {BusError} InvalidParams */
export function checkDescribeOptions(options: DescribeOptions): CheckedOptions {
  const checked = check('bus.describe', describeSchema, options)
  const { as, functions } = checked
  if (functions && as !== 'typescript')
    throw new BusError('InvalidParams', `bus.describe: functions needs as: "typescript"`)
  if (functions) prepareFunctions('bus.describe', functions)
  return { ...(checked as CheckedOptions), allow: toAllowList('bus.describe: allow', checked.allow) }
}

/** Returns the commands that contain all words, and at most `limit`. */
export function selectCommands(
  commands: readonly CommandDescription[],
  { search = '', limit }: Pick<DescribeOptions, 'search' | 'limit'>,
): CommandDescription[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const isFound = ({ command, description = '' }: CommandDescription): boolean => {
    const text = `${command}\n${description}`.toLowerCase()
    return words.every(word => text.includes(word))
  }
  return commands.filter(isFound).slice(0, limit)
}

/** Returns declarations of what the commands take and return, those of the app first, then by plugin. */
export function writeDeclarations(commands: readonly CommandDescription[], functions: RunFunctions = {}): string {
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
    .concat(Object.entries(functions).map(declareNamespace))
    .join('\n')
}

function declareNamespace([namespace, functions]: [string, RunFunctions[string]]): string {
  const members = Object.entries(functions).map(([name, definition]) => {
    const { description, args } = typeof definition === 'function' ? {} : definition
    const content = toCommandContent(`${namespace}.${name}`, { description, schema: args })
    return `${writeComment(content)}${name}(${writeArguments(content)}): Promise<unknown>`
  })
  return `declare const ${namespace}: {\n${members.join('\n')}\n}\n`
}

const writeComment = ({ description = '' }: CommandContent): string =>
  description === '' ? '' : `${toDocComment(description)}\n`

function writeArguments({ args }: CommandContent): string {
  const { required } = args ?? {}
  const isOptional = !args || (args['type'] === 'object' && !(Array.isArray(required) && required.length > 0))
  return `args${isOptional ? '?' : ''}: ${toSchemaType(args)}`
}

function declare(description: CommandDescription): string {
  const { command, result, isStream } = description
  const parameters = `command: ${toLiteral(command)}, ${writeArguments(description)}`
  const returned = isStream ? `AsyncIterableIterator<${toSchemaType(result)}>` : `Promise<${toSchemaType(result)}>`
  return `${writeComment(description)}declare function ${isStream ? 'stream' : 'invoke'}(${parameters}): ${returned}`
}
