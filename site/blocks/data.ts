// Reads a block of JSON, JSON5, TOML or YAML. A part of a configuration must be valid for a bus.
import { explainCapabilities } from '@sallyport/core/acl'
import JSON5 from 'json5'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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
  if (isObject(value.app) && 'security' in value.app) await accept('tauri.conf.json', value)
  else if ('identifier' in value && 'permissions' in value) await accept('capabilities/one.json', value)
  else if ('capabilities' in value) await accept('capabilities/all.json', value)
  else if ('permission' in value || 'set' in value) await accept('permissions/own.json', value)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks a file of a project. Names of plugins and commands that only the reader has are accepted. */
async function accept(name: string, value: object): Promise<void> {
  const project = mkdtempSync(join(tmpdir(), 'sallyport-project-'))
  try {
    for (const [path, content] of Object.entries({ 'tauri.conf.json': {}, [name]: value })) {
      mkdirSync(dirname(join(project, path)), { recursive: true })
      writeFileSync(join(project, path), JSON.stringify(content))
    }
    await explainCapabilities({ config: project })
  } finally {
    rmSync(project, { recursive: true })
  }
}
