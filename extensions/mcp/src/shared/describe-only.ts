// JSON Schemas of others as schemas of commands.
import type { StandardSchemaV1 } from '@modelcontextprotocol/client'

/** Returns a schema that describes arguments, and accepts all: whoever gets them checks them. */
export const describeOnly = (schema: Record<string, unknown>): StandardSchemaV1<Record<string, unknown>> & object => ({
  '~standard': {
    version: 1 as const,
    vendor: 'sallyport-mcp',
    validate: (value: unknown) => ({ value: value as Record<string, unknown> }),
    ...{ jsonSchema: { input: () => schema, output: () => schema } },
  },
})
