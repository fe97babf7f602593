// What an editor shows where users write: the language service of TypeScript is asked.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from '../blocks/markdown.js'

/** A file that is not on disk, in the directory of the site, which has the packages. */
const FILE = join(dirname(fileURLToPath(import.meta.url)), 'editor-virtual.ts')
const TEXT = `
import { command, createBus, defineCore, plugin } from '@sallyport/core'
const fs = plugin('fs', { commands: { read_file: () => 1 } })
const core = defineCore({ commands: { read_note: () => 1, tail: async function* () {} }, plugins: [fs] })
const module = new URL('file:///plugin.js')
void createBus({ core, frontends: { main: { module, allow: ['/*commands*/'] } } })
void createBus<typeof core>({ core: module, frontends: { main: { module, allow: ['/*typed*/'] } } })
void createBus({ core, frontends: { main: { /*frontend*/ } } })
void createBus({ core, frontends: { main: { module: { /*source*/ } } } })
plugin('x', {/*plugin*/})
command(/*command*/)
const bus = await createBus({ core })
void bus.call('main', 'render')
void bus.emit('changed')
void (await bus.connect('me')).invoke('/*invoke*/')
`
const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const service = ts.createLanguageService({
  fileExists: ts.sys.fileExists,
  readFile: ts.sys.readFile,
  getCompilationSettings: () => ({ ...options, composite: false, noEmit: true }),
  getCurrentDirectory: () => root,
  getDefaultLibFileName: each => ts.getDefaultLibFilePath(each),
  getScriptFileNames: () => [FILE],
  getScriptVersion: () => '1',
  getScriptSnapshot(path) {
    const text = path === FILE ? TEXT : ts.sys.readFile(path)
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
  },
})

/** Returns the names that the editor offers at a comment. */
const offered = (mark: string): string[] => {
  const at = TEXT.indexOf(`/*${mark}*/`)
  return service.getCompletionsAtPosition(FILE, at, {})!.entries.map(({ name }) => name)
}

/** Returns what the editor says of the call around a comment, by its first signature. */
const described = (mark: string): string => {
  const help = service.getSignatureHelpItems(FILE, TEXT.indexOf(`/*${mark}*/`), {})!
  return ts.displayPartsToString(help.items[0]!.documentation)
}

/** Returns what the editor shows if the pointer is on a name. */
const hovered = (text: string): string =>
  ts.displayPartsToString(service.getQuickInfoAtPosition(FILE, TEXT.indexOf(text))!.documentation)

test('allow offers the commands and permissions of the core', () => {
  const names = ['read_note', 'tail', 'fs:allow-read-file', 'fs:default']
  expect(offered('commands').toSorted()).toEqual(names.toSorted())
  expect(offered('typed').toSorted()).toEqual(names.toSorted())
})

test('a client of the host offers the commands of the core', () => {
  expect(offered('invoke').toSorted()).toEqual(['plugin:fs|read_file', 'read_note'])
})

test('a frontend offers its options, and no member of URL', () => {
  expect(offered('frontend')).toEqual(expect.arrayContaining(['module', 'allow', 'sandbox', 'supervision']))
  expect(offered('source').toSorted()).toEqual(['directory', 'modules', 'name', 'source'])
  expect([...offered('frontend'), ...offered('source')].filter(name => name in URL.prototype)).toEqual([])
})

test('plugin and command are described by their usual form', () => {
  expect(described('plugin')).toMatch(/^Defines a named group of commands/)
  expect(described('command')).toMatch(/^Defines a command with a schema .*thread/)
  expect(hovered("plugin('x'")).toBe(described('plugin'))
  expect(hovered('command(/*')).toBe(described('command'))
})

test('methods that a bus inherits are described', () => {
  expect(hovered("call('main'")).toMatch(/^Calls a function that a frontend exposes/)
  expect(hovered("emit('changed'")).toMatch(/^Sends an event to every listener/)
})
