// The files of a small Tauri project, and a bus that uses them.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Bus, BusOptions } from '../../src/index.js'
import { start } from './start.js'

const core = `export default {
  commands: {
    greet: ({ name }) => 'Hello, ' + name,
    read_note: (_args, { scope }) => scope.allow,
    delete_note: () => 'deleted',
  },
  plugins: [{ name: 'files', commands: { read: () => 'text', write: () => 'written' } }],
}`

const permissions = `
[default]
description = "What every window needs."
permissions = ["allow-greet"]

[[set]]
identifier = "notes"
description = "All of notes."
permissions = ["default", "read-some-notes"]

[[permission]]
identifier = "read-some-notes"
description = "Notes in one directory."
commands.allow = ["read_note"]
scope.allow = [{ path = "$DOCUMENT/notes/*" }]
`

const manifests = {
  files: {
    default_permission: { identifier: 'default', description: '', permissions: ['allow-read'] },
    permissions: {
      'allow-read': { identifier: 'allow-read', description: '', commands: { allow: ['read'], deny: [] } },
    },
    permission_sets: {},
    global_scope_schema: null,
  },
  // A plugin that this core does not have.
  opener: {
    default_permission: { identifier: 'default', description: '', permissions: ['allow-open'] },
    permissions: {
      'allow-open': { identifier: 'allow-open', description: '', commands: { allow: ['open'], deny: [] } },
    },
    permission_sets: {},
    global_scope_schema: null,
  },
}

/** A capability without its permissions. */
export const main = { $schema: '../gen/schemas/desktop-schema.json', identifier: 'main', windows: ['main'] }
export const granted = ['core:default', 'notes', 'files:default', 'opener:default']

export const project = {
  'core.mjs': core,
  'tauri.conf.json': { identifier: 'com.example.notes', app: { windows: [], security: { csp: null } } },
  'capabilities/main.json': { ...main, permissions: granted },
  'capabilities/clients.toml': 'identifier = "clients"\nwindows = ["client-*"]\npermissions = ["allow-greet"]\n',
  'permissions/notes.toml': permissions,
  'gen/schemas/acl-manifests.json': manifests,
}

export const startIn = (directory: string, options: Partial<BusOptions> = {}): Promise<Bus> =>
  start({ core: join(directory, 'core.mjs'), config: pathToFileURL(join(directory, '/')), ...options })
