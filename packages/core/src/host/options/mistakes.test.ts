// Each mistake in a Tauri project's files stops the start, with file, place and the nearest right name.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { writeProject } from '../../../test/project.js'
import { readProject } from './project.js'

const read = (folder: string, name = '') => readProject(pathToFileURL(join(folder, name)))

describe('a mistake', () => {
  const security = (value: unknown) => ({ 'tauri.conf.json': { app: { security: value } } })
  const isolation = (options: unknown) => security({ pattern: { use: 'isolation', options } })
  test.each<[name: string, files: Record<string, unknown>, text: string]>([
    [
      'no configuration',
      { 'x.json': {} },
      'createBus: config: there is no tauri.conf.json, tauri.conf.json5, Tauri.toml in <folder>',
    ],
    [
      'JSON',
      { 'tauri.conf.json': '{\n  "app": {\n    oops\n  }\n}' },
      "<folder>/tauri.conf.json:4:3: not JSON: invalid character '}'",
    ],
    [
      'JSON that ends early',
      { 'tauri.conf.json': '{' },
      '<folder>/tauri.conf.json:1:2: not JSON: invalid end of input',
    ],
    [
      'JSON5',
      { 'tauri.conf.json5': "{\n  a: 'b\n}" },
      "<folder>/tauri.conf.json5:3:1: not JSON5: invalid character '\\n'",
    ],
    [
      'TOML',
      { 'Tauri.toml': 'version = "1.0.0"\nidentifier = \n' },
      '<folder>/Tauri.toml:2:14: not TOML: invalid value',
    ],
    [
      'TOML that says it twice',
      { 'Tauri.toml': 'a = 1\na = 2\n' },
      '<folder>/Tauri.toml:2:1: not TOML: trying to redefine an already defined table or value',
    ],
    ['no object', { 'tauri.conf.json': '[]' }, '<folder>/tauri.conf.json must be an object: got Array'],
    [
      'a version that is none',
      { 'tauri.conf.json': { version: '1.2' } },
      '<folder>/tauri.conf.json: version must be as 1.2.3, or the path of a package.json: got "1.2"',
    ],
    [
      'a package.json without',
      { 'tauri.conf.json': { version: 'package.json' }, 'package.json': {} },
      '<folder>/package.json: version must be as 1.2.3: got undefined',
    ],
    [
      'a wrong type',
      { 'tauri.conf.json': { productName: 5 } },
      '<folder>/tauri.conf.json: productName must be a string: got 5',
    ],
    [
      'an identifier that is none',
      { 'tauri.conf.json': { identifier: 'a/../b' } },
      '<folder>/tauri.conf.json: identifier must be an identifier of letters, digits, ".", "-" and "_": got "a/../b"',
    ],
    [
      'plugins that are none',
      { 'tauri.conf.json': { plugins: [] } },
      '<folder>/tauri.conf.json: plugins must be an object: got Array',
    ],
    [
      'a section that is nearly one',
      { 'tauri.conf.json': { App: {} } },
      '<folder>/tauri.conf.json: unknown option "App" (did you mean "app"?)',
    ],
    [
      'security that is nearly one',
      { 'tauri.conf.json': { app: { securty: {} } } },
      '<folder>/tauri.conf.json: unknown option "app.securty" (did you mean "security"?)',
    ],
    [
      'capabilities that are nearly some',
      security({ capabilites: [] }),
      '<folder>/tauri.conf.json: unknown option "app.security.capabilites" (did you mean "capabilities"?)',
    ],
    [
      'Tauri 1',
      { 'tauri.conf.json': { package: {}, tauri: {} } },
      '<folder>/tauri.conf.json: "tauri" is of Tauri 1, and would be passed over: `tauri migrate` writes it for Tauri 2',
    ],
    [
      'a pattern that is none',
      security({ pattern: { use: 'isolate' } }),
      '<folder>/tauri.conf.json: app.security.pattern.use must be "brownfield" or "isolation": got "isolate"',
    ],
    [
      'an isolation app that is nearly named',
      isolation({ dirr: 'x' }),
      '<folder>/tauri.conf.json: unknown option "app.security.pattern.options.dirr" (did you mean "dir"?)',
    ],
    [
      'an isolation app that is not named',
      security({ pattern: { use: 'isolation' } }),
      '<folder>/tauri.conf.json: app.security.pattern.options is missing',
    ],
    [
      'an option of it that is none',
      isolation({ dir: 'x', envelop: true }),
      '<folder>/tauri.conf.json: unknown option "app.security.pattern.options.envelop" (did you mean "envelope"?)',
    ],
    [
      'a limit of the hook’s time that is none',
      isolation({ dir: 'x', hookTimeout: 0.5 }),
      '<folder>/tauri.conf.json: app.security.pattern.options.hookTimeout must be whole milliseconds, from 10 to 3600000: got 0.5',
    ],
    [
      'capabilities that are no list',
      security({ capabilities: 'main' }),
      '<folder>/tauri.conf.json: app.security.capabilities must be a list: got "main"',
    ],
    [
      'a capability that is none',
      security({ capabilities: [1] }),
      '<folder>/tauri.conf.json: app.security.capabilities[0] must be a capability, or the identifier of one: got 1',
    ],
    [
      'a capability file',
      { 'tauri.conf.json': {}, 'capabilities/a.toml': 'identifier "a"' },
      '<folder>/capabilities/a.toml:1:12: not TOML: illegal character in key',
    ],
  ])('%s', async (_name, files, text) => {
    const folder = writeProject(files)
    await expect(read(folder)).rejects.toMatchObject({
      reason: 'InvalidParams',
      message: text.replaceAll('<folder>', folder),
    })
  })

  test('a file that is not UTF-8', async () => {
    const folder = writeProject({ 'tauri.conf.json': {} })
    writeFileSync(join(folder, 'tauri.conf.json'), Buffer.from('\uFEFF{}', 'utf16le'))
    await expect(read(folder)).rejects.toThrow(`${join(folder, 'tauri.conf.json')}: not UTF-8`)
  })

  test('a file that is not there, or is none of Tauri’s', async () => {
    const folder = writeProject({ 'other.json': {} })
    await expect(read(folder, 'tauri.conf.json')).rejects.toThrow(
      `createBus: config: there is no file or folder ${join(folder, 'tauri.conf.json')}`,
    )
    await expect(read(folder, 'other.json')).rejects.toThrow('other.json is none of tauri.conf.json')
  })
})
