import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { findHiddenPackage } from './hidden-package.js'

let directory: string
let file: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'hidden-'))
  file = join(directory, 'src', 'main.mjs')
  mkdirSync(join(directory, 'node_modules', '@scope'), { recursive: true })
  mkdirSync(join(directory, 'there'))
  symlinkSync('../elsewhere', join(directory, 'node_modules', 'linked'))
  symlinkSync('../../elsewhere', join(directory, 'node_modules', '@scope', 'linked'))
  symlinkSync('../there', join(directory, 'node_modules', 'there'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const find = (name: string): string | undefined =>
  findHiddenPackage(`Cannot find package '${name}' imported from ${file}`)

test('finds the target of a linked package', () =>
  rows(['linked', 'linked/sub/path.js', '@scope/linked', '@scope/linked/sub'])(name =>
    expect(find(name)).toBe(join(directory, 'elsewhere')),
  ))

test('finds the target for require, and for an importer that is a URL', () => {
  const target = join(directory, 'elsewhere')
  expect(findHiddenPackage(`Cannot find module 'linked'\nRequire stack:\n- ${file}\n- /other.js`)).toBe(target)
  expect(findHiddenPackage(`Cannot find package 'linked' imported from ${pathToFileURL(file).href}`)).toBe(target)
})

test('ignores a package that is there, and one that is nowhere', () =>
  rows(['there', 'missing', '@scope/missing'])(name => expect(find(name)).toBeUndefined()))

test('ignores other messages', () => expect(findHiddenPackage('x')).toBeUndefined())
