// Each mistake in a project's files, or in the options that take their place, stops the start: with file, place and the
// nearest right name.
import { describe, expect, test } from 'vitest'
import type { BusOptions } from '../src/index.js'
import { main, project, startIn } from './notes.js'
import { writeProject } from './project.js'
import { start } from './start.js'

const scoped = (value: unknown) => ({ ...main, permissions: [{ identifier: 'allow-greet', allow: [value] }] })

describe('a mistake stops the start, and is named:', () => {
  const isolation = (dir: string) => ({ app: { security: { pattern: { use: 'isolation', options: { dir } } } } })
  const security = (capabilities: unknown[]) => ({ app: { security: { capabilities } } })
  test.each<[name: string, files: Record<string, unknown>, text: RegExp]>([
    [
      'a permission that nothing has',
      { 'capabilities/main.json': { ...main, permissions: ['allow-gret'] } },
      /^<folder>\/capabilities\/main\.json: permissions\[0\]: .*"?allow-gret\b.*\(did you mean "allow-greet"\?\)/,
    ],
    [
      'a permission of a plugin that nothing has',
      { 'capabilities/main.json': { ...main, permissions: ['fs:default'] } },
      /^<folder>\/capabilities\/main\.json: permissions\[0\]: .*fs/,
    ],
    [
      'an unknown key',
      { 'capabilities/main.json': [{ ...main, permission: [] }] },
      /^<folder>\/capabilities\/main\.json: \[0\].*"permission".*\(did you mean "permissions"\?\)/,
    ],
    [
      'a glob that is none',
      { 'capabilities/main.json': { ...main, windows: ['main', 'a['], permissions: [] } },
      /^<folder>\/capabilities\/main\.json: windows\[1\]: .*"a\["/,
    ],
    [
      'a wrong type',
      { 'capabilities/main.json': { ...main, windows: 'main', permissions: [] } },
      /^<folder>\/capabilities\/main\.json: windows: must be a list of strings: got "main"/,
    ],
    [
      'two capabilities of one identifier',
      { 'capabilities/two.json5': '{ identifier: "guests", permissions: [] }' },
      /^<folder>\/capabilities\/two\.json5: identifier: .*`guests` already exists: in <folder>\/capabilities\/guests\.toml/,
    ],
    [
      'an identifier that no file has',
      { 'tauri.conf.json': security(['main', 'guest']) },
      /^<folder>\/tauri\.conf\.json: app\.security\.capabilities\[1\]: .*"guest" \(did you mean "guests"\?\)/,
    ],
    [
      'one that is like none',
      { 'tauri.conf.json': security(['everything']) },
      /capabilities\[0\]: .*"everything" \(there are "guests", "main"\)/,
    ],
    [
      'an inline capability',
      { 'tauri.conf.json': security([{ identifer: 'x', permissions: [] }]) },
      /^<folder>\/tauri\.conf\.json: app\.security\.capabilities\[0\].*"identifer".*\(did you mean "identifier"\?\)/,
    ],
    [
      'a permission file',
      { 'permissions/notes.toml': '[[permissions]]\nidentifier = "x"\n' },
      /^<folder>\/permissions\/notes\.toml: .*"permissions".*\(did you mean "permission"\?\)/,
    ],
    [
      'a set of what is not there',
      { 'permissions/more.json': { set: [{ identifier: 'all', permissions: ['allow-gret'] }] } },
      /^<folder>\/permissions\/more\.json: set\[0\]\.permissions\[0\].*allow-gret.*\(did you mean "allow-greet"\?\)/,
    ],
    ['manifests', { 'gen/schemas/acl-manifests.json': { fs: [] } }, /^<folder>\/gen\/schemas\/acl-manifests\.json: fs/],
    [
      'an isolation app that is not there',
      { 'tauri.conf.json': isolation('dist-isolation') },
      /^<folder>\/tauri\.conf\.json: app\.security\.pattern\.options\.dir: there is no file <folder>\/dist-isolation\/index\.html/,
    ],
    [
      'a file that can’t be parsed',
      { 'capabilities/main.json': '{ "identifier": main }' },
      /^<folder>\/capabilities\/main\.json:1:17: not JSON: invalid character 'm'/,
    ],
  ])('%s', async (_name, files, text) => {
    const folder = writeProject({ ...project, ...files })
    await expect(startIn(folder)).rejects.toSatisfy((error: Error) => {
      expect(error).toMatchObject({ name: 'BusError', reason: 'InvalidParams' })
      expect(error.message.replaceAll(folder, '<folder>')).toMatch(text)
      return true
    })
  })

  test.each<[name: string, options: Record<string, unknown>, text: RegExp]>([
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
    ['a folder that is not there', { capabilities: ['/no/such'] }, /capabilities\[0\]: there is no file or directory/],
    [
      'a relative folder',
      { capabilities: ['./capabilities'] },
      /capabilities\[0\]: .*"\.\/capabilities" \(the path of a file or directory must be absolute\)$/,
    ],
    ['a function in a scope', { capabilities: [scoped(() => 1)] }, /permissions\[0\]\.allow\[0\]: .* got function$/],
    ['capabilities that are none', { capabilities: [7] }, /capabilities\[0\] must be a capability, its identifier/],
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
    ['what is neither', { unknownPermissions: 'no' }, /unknownPermissions must be "error" or "warn": got "no"/],
    ['another place', { security: {} }, /^createBus: unknown option "security": it belongs at app\.security$/],
    [
      'a text for a pattern',
      { pattern: 'isolation' },
      /pattern must be \{ use: "brownfield" \} or \{ use: "isolation"/,
    ],
    ['a list of frontends', { frontends: [new URL(import.meta.url)] }, /frontends must be an object: got Array$/],
    ['a plugin’s options', { plugins: { x: () => {} } }, /^createBus: plugins can't be cloned/],
  ])('in the options: %s', async (_name, { capabilities, pattern, ...options }, text) => {
    const app = capabilities || pattern ? { app: { security: { capabilities, pattern } } } : {}
    await expect(start({ ...options, ...app } as Partial<BusOptions>)).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: expect.stringMatching(text) as string,
    })
  })
})
