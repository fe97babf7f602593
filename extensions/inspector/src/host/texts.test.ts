import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { describeError, getEditorUrl } from './texts.js'
import { rows } from '../../../../scripts/testing.js'

const VSCODE = 'vscode://file{file}:{line}:{column}'

const directory = mkdtempSync(resolve('node_modules/texts-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('opens files below the working directory', () => {
  const path = directory.replaceAll('\\', '/').replace(/^\//, '')
  const below = relative('', directory)
  for (const name of ['a#b.ts', '{line}.ts']) writeFileSync(`${directory}/${name}`, '')
  expect(getEditorUrl(`${below}/a#b.ts:4:53`, VSCODE)).toBe(`vscode://file/${path}/a%23b.ts:4:53`)
  const idea = 'idea://open?file={file}&line={line}&column={column}'
  expect(getEditorUrl(`${below}/{line}.ts:4`, idea)).toBe(`idea://open?file=/${path}/%7Bline%7D.ts&line=4&column=1`)
})

test('does not open what a plugin can have forged, nor code as text', () =>
  rows([
    'p.js:1:90',
    '/etc/hosts.js:1',
    '../other.js:1',
    'src/../../x.js:1',
    'C:\\x.js:1',
    '\\\\host\\x.js:1',
    'a.sh:1',
    'a\u202e.js:1',
    'x.js',
  ])(where => {
    expect(getEditorUrl(where, VSCODE)).toBeUndefined()
  }))

const failedAt = (place: string): Error =>
  Object.assign(new Error('failed'), { stack: `Error: failed\n    at run (${place})` })

test('describeError returns the file of an error, also if its URL has no path', () =>
  rows([
    ['file:///app/main.mjs:4:53', '/app/main.mjs:4:53'],
    ['file://other/main.mjs:4:53', 'file://other/main.mjs:4:53'],
    ['file:///app%2Fmain.mjs:4:53', 'file:///app%2Fmain.mjs:4:53'],
    ['file:///app/%:4:53', 'file:///app/%:4:53'],
    ['file://[/main.mjs:4:53', 'file://[/main.mjs:4:53'],
  ])((place, shown) => {
    expect(describeError(failedAt(place)).where).toBe(shown)
  }))
