// What both directions have in common about tools: schemas that only describe, the argument for progress, and what cannot be served, and why:
// one tool, function or command costs itself alone, and the host is told.
import type { StandardSchemaV1 } from '@modelcontextprotocol/client'
import type { Bus } from '@sallyport/core'
import { getLog } from '@sallyport/core/internal'
import { describeName } from '@sallyport/protocol/internal/errors'

export type Unserved = Map<string, string>

const MAX_NAMES = 5

/**
 * Finds names that lead to the same right, or to the same name of a tool, of which one is served at most.
 *
 * @param toShared - returns what each must have for itself
 * @param isFirstServed - false if the first one can lose its right while the service runs: another would take its place in silence
 */
export function findShared(
  names: readonly string[],
  what: string,
  toShared: (name: string) => string,
  isFirstServed: boolean = true,
): Unserved {
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const group = groups.get(toShared(name))
    if (group) group.push(name)
    else groups.set(toShared(name), [name])
  }
  const unserved: Unserved = new Map()
  for (const [shared, group] of groups) {
    for (const [at, name] of group.entries()) {
      const other = group[at === 0 ? 1 : 0]
      if (other === undefined || (at === 0 && isFirstServed)) continue
      unserved.set(name, `it shares the ${what} ${quote(shared)} with ${other === name ? 'another' : quote(other)}`)
    }
  }
  return unserved
}

/** @param subject - such as `Tools of the MCP server "files"` */
export function warnOfUnserved(bus: Bus, subject: string, unserved: ReadonlyMap<string, string>, remedy: string): void {
  if (unserved.size === 0) return
  getLog(bus).warn(`${subject} were not served: ${listNames([...unserved.keys()], unserved)}. ${remedy}`)
}

export function listNames(all: readonly string[], reasons?: ReadonlyMap<string, string>): string {
  const names = all.slice(0, MAX_NAMES).map(name => (reasons ? `${quote(name)} (${reasons.get(name)})` : quote(name)))
  if (all.length > MAX_NAMES) names.push(`${all.length - MAX_NAMES} others`)
  return names.join(', ')
}

/** Others chose the names, and a terminal shows them. */
const quote = (name: string): string =>
  describeName(name).replaceAll(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Returns a schema that describes arguments, and accepts all: whoever gets them checks them. */
export const describeOnly = (schema: Record<string, unknown>): StandardSchemaV1<Record<string, unknown>> & object => ({
  '~standard': {
    version: 1 as const,
    vendor: 'sallyport-mcp',
    validate: (value: unknown) => ({ value: value as Record<string, unknown> }),
    ...{ jsonSchema: { input: () => schema, output: () => schema } },
  },
})

/** The argument of a command that is a channel for its progress, in both directions. MCP clients do not see it. */
export const PROGRESS_ARGUMENT = 'onProgress'
