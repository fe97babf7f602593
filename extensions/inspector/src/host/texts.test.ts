import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { describeError, getEditorUrl } from './texts.js'
import { rows } from '../../../../scripts/testing.js'

const VSCODE = 'vscode://file{file}:{line}:{column}'

test('opens files below the working directory', () => {
  const path = resolve('src').replaceAll('\\', '/').replace(/^\//, '')
  expect(getEditorUrl('src/a#b.ts:4:53', VSCODE)).toBe(`vscode://file/${path}/a%23b.ts:4:53`)
  const idea = 'idea://open?file={file}&line={line}&column={column}'
  expect(getEditorUrl('src/{line}.ts:4', idea)).toBe(`idea://open?file=/${path}/%7Bline%7D.ts&line=4&column=1`)
})

test('does not open what a plugin can have forged', () =>
  rows([
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
