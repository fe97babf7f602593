// Reads a block of JSON, JSON5, TOML or YAML. A part of a configuration must be valid for a bus.
import { explainCapabilities } from '@sallyport/core/acl'
import type { Capability, PermissionFile } from '@sallyport/core'
import JSON5 from 'json5'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'
import type { Block } from './markdown.js'

export const readers: Record<string, (text: string) => unknown> = {
  json: JSON.parse,
  json5: text => JSON5.parse(text),
  toml: parseToml,
  yaml: parseYaml,
}

/** @throws if the block cannot be read, or a bus would reject it */
export async function readData({ language, code }: Block): Promise<void> {
  const value = readers[language]!(code)
  if (!isObject(value)) return
  if (isObject(value.app) && 'security' in value.app) await accept({ app: value.app })
  else if ('identifier' in value && 'permissions' in value) await accept(withCapabilities([value]))
  else if ('capabilities' in value) await accept(withCapabilities(value.capabilities))
  else if ('permission' in value || 'set' in value) await accept({ permissions: [value as unknown as PermissionFile] })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const withCapabilities = (capabilities: unknown): object => ({
  app: { security: { capabilities: capabilities as Capability[] } },
})

/** Checks options. Names of plugins and commands that only the reader has are accepted. */
async function accept(options: object): Promise<void> {
  await explainCapabilities(options)
}
