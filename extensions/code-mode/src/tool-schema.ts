// Schemas of the AI SDK's tools: Standard Schemas, its own `jsonSchema(…)`, and functions that return one.
import { BusError } from '@sallyport/core'

interface Checked {
  value?: unknown
  issues?: readonly { message: string; path?: readonly unknown[] }[]
  error?: Error
}
type Validate = (value: unknown) => Checked | Promise<Checked>
type Side = 'input' | 'output'

interface AnySchema {
  '~standard'?: { validate: Validate; jsonSchema?: Record<Side, (options: { target: string }) => unknown> }
  jsonSchema?: unknown
  validate?: Validate
}

const getSchema = (schema: unknown): AnySchema =>
  Object(typeof schema === 'function' && !('~standard' in schema) ? schema() : schema) as AnySchema

/** Returns the JSON Schema of what a tool takes or returns. `undefined` without one, or with one that cannot be converted. */
export function getJsonSchema(schema: unknown, side: Side): unknown {
  try {
    const { '~standard': standard, jsonSchema } = getSchema(schema)
    return standard ? standard.jsonSchema?.[side]({ target: 'draft-2020-12' }) : jsonSchema
  } catch {
    return undefined
  }
}

/** Returns the output of the schema. @throws {BusError} InvalidParams for a value that it refuses */
export async function validate(name: string, schema: unknown, value: unknown): Promise<unknown> {
  const checked = getSchema(schema)
  const { value: output, issues, error } = (await (checked['~standard'] ?? checked).validate?.(value)) ?? { value }
  const texts = issues?.map(({ message, path = [] }) => [...path.map(toKey), message].join(': ')) ?? [error?.message]
  if (!issues && !error) return output
  const text = `The arguments of the tool ${JSON.stringify(name)} are invalid: ${texts.join('; ')}`
  throw new BusError('InvalidParams', text)
}

const toKey = (step: unknown): string => String((Object(step) as { key?: unknown }).key ?? step)
