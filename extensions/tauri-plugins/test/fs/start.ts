// Starts a core with fs, and a directory for the files of a test.
import { type Bus, type Client, createBus, defineCore } from '@sallyport/core'
import type { ScopedPermission } from '@sallyport/core/internal'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach } from 'vitest'
import { fs, type FsOptions } from '../../src/fs/fs.js'

export interface Place {
  /** In the scope of the tests. */
  readonly dir: string
  /** Contains `dir`, and what is out of scope. */
  readonly root: string
}

/** Creates directories that are empty before each test. */
export function createPlace(): Place {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-fs-')))
  const dir = join(root, 'open')
  beforeEach(() => {
    rmSync(root, { recursive: true, force: true })
    mkdirSync(dir, { recursive: true })
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return { dir, root }
}

type Entry = string | ScopedPermission

/** Starts a bus whose frontends have these permissions. Closes it after the file's tests. */
export async function startFs(
  labels: Readonly<Record<string, readonly Entry[]>>,
  options?: FsOptions,
): Promise<{ bus: Bus; clients: Record<string, Client> }> {
  const capabilities = Object.entries(labels).map(([label, entries]) => ({
    identifier: label,
    windows: [label],
    permissions: [
      'core:default',
      ...entries.map(entry => {
        if (typeof entry === 'string') return entry
        const { permission: identifier, ...scope } = entry
        return { identifier, ...scope }
      }),
    ],
  }))
  const core = defineCore({ plugins: [fs(options)] })
  const bus = await createBus({ core, log: false, capabilities, config: { identifier: 'org.example.fs' } })
  afterAll(() => bus.close())
  const clients: Record<string, Client> = {}
  for (const label of Object.keys(labels)) clients[label] = await bus.connect(label)
  return { bus, clients }
}

/** Calls a command of fs. Resolves to its result, or to `refused: …`. */
export const call = (client: Client, command: string, args: object): Promise<unknown> =>
  client.invoke(`plugin:fs|${command}`, args as never).catch((error: { data?: unknown; message: string }) => {
    const { data } = error
    return `refused: ${typeof data === 'string' ? data : error.message}`
  })

/** Calls `write_text_file` as the package does. */
export const writeFile = (
  client: Client,
  path: string,
  text: string | Uint8Array,
  options?: object,
): Promise<unknown> =>
  client
    .invoke('plugin:fs|write_text_file', Buffer.from(text) as never, {
      headers: { path: encodeURIComponent(path), options: String(JSON.stringify(options)) },
    })
    .catch(
      ({ data, message }: { data?: unknown; message: string }) =>
        `refused: ${typeof data === 'string' ? data : message}`,
    )
