// What a command does and takes, for those who choose among commands: an MCP client, a model, or a person.
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a command does and takes. */
export interface CommandContent {
  /** `description` of `command`. */
  readonly description?: string | undefined
  /** JSON Schema of the arguments. `undefined` if the command has no schema, or a schema that cannot be converted. */
  readonly args?: JsonSchema | undefined
  /** JSON Schema of the result. `undefined` if the command has none, or one that cannot be converted. */
  readonly result?: JsonSchema | undefined
  /** True if the command is an `async function*`, whose values `stream` reads. */
  readonly isStream?: boolean | undefined
}

/** One command that a label may call: an entry of `bus.describe`. */
export interface CommandDescription extends CommandContent {
  /** The name that it is called by: `greet`, `plugin:fs|read_file`. */
  readonly command: string
  /** The permission that allows it: `allow-greet`, `fs:allow-read-file`. */
  readonly permission: string
}

type Definition = { description?: string | undefined; schema?: unknown; result?: unknown; handler?: unknown }

/** Converts what `command` was given. */
export const toCommandContent = ({ description, schema, result, handler }: Definition): CommandContent => ({
  description,
  args: toJsonSchema(schema, 'input'),
  result: toJsonSchema(result, 'output'),
  ...(isGenerator(handler) && { isStream: true }),
})

const isGenerator = (handler: unknown): boolean =>
  Object.prototype.toString.call(handler) === '[object AsyncGeneratorFunction]'

type Converter = (options: { target: string }) => Record<string, unknown>
type Convertible = StandardSchemaV1.Props & { jsonSchema?: Partial<Record<'input' | 'output', Converter>> }

/** Uses the [Standard JSON Schema](https://standardschema.dev/json-schema) of a schema. */
function toJsonSchema(schema: unknown, side: 'input' | 'output'): JsonSchema | undefined {
  const standard = (schema as StandardSchemaV1 | undefined)?.['~standard'] as Convertible | undefined
  try {
    const converted = standard?.jsonSchema?.[side]?.({ target: 'draft-2020-12' })
    // Only data: the schema goes to other threads and to clients.
    return converted && (JSON.parse(JSON.stringify(converted)) as JsonSchema)
  } catch {
    // Such as a schema with a transformation, which JSON Schema cannot express.
    return undefined
  }
}
