// Mistakes in the files of a project, or in options: the error names the file, the place and the nearest valid name.
import { describe, expect, test } from 'vitest'
import type { BusOptions } from '../../src/index.js'
import { main, project, startIn } from '../support/notes.js'
import { writeProject } from '../support/project.js'
import { start } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const scoped = (value: unknown) => ({ ...main, permissions: [{ identifier: 'allow-greet', allow: [value] }] })

describe('does not start with', () => {
  const security = (settings: object) => ({ app: { security: settings } })
  test('names each mistake, and where it is', () =>
    rows<[name: string, files: Record<string, unknown>, text: RegExp]>([
      [
        'an unknown permission',
        { 'capabilities/main.json': { ...main, permissions: ['allow-gret'] } },
        /^<directory>\/capabilities\/main\.json: permissions\[0\]: .*"?allow-gret\b.*\(did you mean "allow-greet"\?\)/,
      ],
      [
        'an unknown key',
        { 'capabilities/main.json': [{ ...main, permission: [] }] },
        /^<directory>\/capabilities\/main\.json: \[0\].*"permission".*\(did you mean "permissions"\?\)/,
      ],
      [
        'an invalid glob',
        { 'capabilities/main.json': { ...main, windows: ['main', 'a['], permissions: [] } },
        /^<directory>\/capabilities\/main\.json: windows\[1\]: .*"a\["/,
      ],
      [
        'a wrong type',
        { 'capabilities/main.json': { ...main, windows: 'main', permissions: [] } },
        /^<directory>\/capabilities\/main\.json: windows: must be an array of strings: got "main"/,
      ],
      [
        'two capabilities of one identifier',
        { 'capabilities/two.json5': '{ identifier: "clients", permissions: [] }' },
        /^<directory>\/capabilities\/two\.json5: identifier: .*`clients` already exists: in <directory>\/capabilities\/clients\.toml/,
      ],
      [
        'an unknown identifier of a capability',
        { 'tauri.conf.json': security({ capabilities: ['main', 'client'] }) },
        /^<directory>\/tauri\.conf\.json: app\.security\.capabilities\[1\]: .*"client" \(did you mean "clients"\?\)/,
      ],
      [
        'an identifier without a similar one',
        { 'tauri.conf.json': security({ capabilities: ['everything'] }) },
        /capabilities\[0\]: .*"everything" \(there are "clients", "main"\)/,
      ],
      [
        'a mistake in an inline capability',
        { 'tauri.conf.json': security({ capabilities: [{ identifer: 'x', permissions: [] }] }) },
        /^<directory>\/tauri\.conf\.json: app\.security\.capabilities\[0\].*"identifer".*\(did you mean "identifier"\?\)/,
      ],
      [
        'a permission file',
        { 'permissions/notes.toml': '[[permissions]]\nidentifier = "x"\n' },
        /^<directory>\/permissions\/notes\.toml: .*"permissions".*\(did you mean "permission"\?\)/,
      ],
      [
        'a set with an unknown permission',
        { 'permissions/more.json': { set: [{ identifier: 'all', permissions: ['allow-gret'] }] } },
        /^<directory>\/permissions\/more\.json: set\[0\]\.permissions\[0\].*allow-gret.*\(did you mean "allow-greet"\?\)/,
      ],
      [
        'malformed manifests',
        { 'gen/schemas/acl-manifests.json': { fs: [] } },
        /^<directory>\/gen\/schemas\/acl-manifests\.json: fs/,
      ],
      [
        'a missing isolation app',
        { 'tauri.conf.json': security({ pattern: { use: 'isolation', options: { dir: 'dist-isolation' } } }) },
        /^<directory>\/tauri\.conf\.json: app\.security\.pattern\.options\.dir: there is no file <directory>\/dist-isolation\/index\.html/,
      ],
      [
        'a file with a syntax error',
        { 'capabilities/main.json': '{ "identifier": main }' },
        /^<directory>\/capabilities\/main\.json:1:17: not JSON: invalid character 'm'/,
      ],
    ])(async (_name, files, text) => {
      const directory = writeProject({ ...project, ...files })
      await expect(startIn(directory)).rejects.toSatisfy((error: Error) => {
        expect(error).toMatchObject({ name: 'BusError', reason: 'InvalidParams' })
        expect(error.message.replaceAll(directory, '<directory>')).toMatch(text)
        return true
      })
    }))

  test('a mistake in the options', () =>
    rows<[name: string, options: Record<string, unknown>, text: RegExp]>([
      ['a relative path', { config: 'tauri.conf.json' }, /^createBus: config must be a file: URL or an absolute path/],
      [
        'a URL elsewhere',
        { config: new URL('https://x.example/tauri.conf.json') },
        /config must be a file: URL.*: got "https:\/\/x\.example\/tauri\.conf\.json"$/,
      ],
      [
        'an identifier without files',
        { capabilities: ['main'] },
        /capabilities\[0\]: .*"main" \(no file has a capability\)/,
      ],
      ['a missing directory', { capabilities: ['/no/such'] }, /capabilities\[0\]: there is no file or directory/],
      [
        'a relative directory',
        { capabilities: ['./capabilities'] },
        /capabilities\[0\]: .*"\.\/capabilities" \(the path of a file or directory must be absolute\)$/,
      ],
      ['a function in a scope', { capabilities: [scoped(() => 1)] }, /permissions\[0\]\.allow\[0\]: .* got function$/],
      ['an invalid capability', { capabilities: [7] }, /capabilities\[0\] must be a capability, its identifier/],
      [
        'a file of another kind',
        { permissions: [new URL(import.meta.url)] },
        /permissions\[0\]: .* must have the extension \.json/,
      ],
      [
        'a permission file',
        { permissions: [{ sets: [] }] },
        /^createBus: permissions\[0\]: .*"sets".*did you mean "set"/,
      ],
      ['a list in the list', { capabilities: [[]] }, /capabilities\[0\] must be a capability, its identifier/],
      [
        'an option that nothing resembles, with those that there are',
        { supervision: { maximum: 3 } },
        /^createBus: unknown option "supervision\.maximum": use restart, intensity, period, delay, heartbeat$/,
      ],
      [
        'an option of a sandbox, with those of its kind',
        { frontends: { main: { module: new URL(import.meta.url), sandbox: { kind: 'permission', men: 1 } } } },
        /unknown option "frontends\.main\.sandbox\.men": use kind, read, net, secrets, resourceLimits$/,
      ],
      [
        'an option in the wrong place',
        { hookTimeout: 60_000 },
        /^createBus: unknown option "hookTimeout": it belongs at isolation\.hookTimeout$/,
      ],
      ['a list of frontends', { frontends: [new URL(import.meta.url)] }, /frontends must be an object: got Array$/],
      [
        'options of a plugin that cannot be cloned',
        { config: { plugins: { x: () => {} } } },
        /^createBus: config\.plugins cannot be cloned/,
      ],
    ])(async (_name, options, text) => {
      await expect(start(options as Partial<BusOptions>)).rejects.toMatchObject({
        reason: 'InvalidParams',
        message: expect.stringMatching(text) as string,
      })
    }))
})
