import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { makeHarness, type Harness } from './harness.js'

const root = realpathSync(fileURLToPath(new URL('../../../../', import.meta.url)))
const folder = mkdtempSync(join(realpathSync(tmpdir()), 'sallyport-harness-'))
afterAll(() => rmSync(folder, { recursive: true }))

function install(...path: string[]): string {
  const made = join(folder, ...path)
  mkdirSync(made, { recursive: true })
  writeFileSync(join(made, 'package.json'), '{}')
  return made
}

const lead = ({ entry }: Harness, name: string): string =>
  realpathSync(fileURLToPath(new URL(`../node_modules/${name}`, entry)))

test('the head’s finds what this package finds', () => {
  const head = makeHarness(join(folder, 'head'))
  expect(existsSync(head.entry)).toBe(true)
  expect(existsSync(new URL('../hooks', head.entry))).toBe(true)
  expect(lead(head, '@sallyport/core')).toBe(join(root, 'packages', 'core'))
  expect(head.libraries).toContain(join(root, 'packages', 'core'))
})

test('another checkout’s libraries take the place of ours alone', () => {
  const names = ['core', 'frontend', 'protocol']
  const libraries = names.map(name => install('app', 'node_modules', '@sallyport', name))
  const base = makeHarness(join(folder, 'base'), join(folder, 'app'))
  expect(base.libraries.toSorted()).toEqual(libraries)
  expect(lead(base, '@sallyport/core')).toBe(libraries[0])
  expect(lead(base, 'birpc')).toBe(realpathSync(join(root, 'packages', 'bench', 'node_modules', 'birpc')))
})

test('what a sandbox may read leads to where the packages really lie', () => {
  const { entry } = makeHarness(join(folder, 'sandboxed'))
  const above: string[] = []
  for (let at = dirname(fileURLToPath(entry)); at !== folder; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) above.push(realpathSync(join(at, 'node_modules')))
  }
  expect(above).toContain(join(root, 'node_modules'))
})

test('a checkout that has none is refused, even where one lies around it', () => {
  install('app', 'within')
  expect(() => makeHarness(join(folder, 'none'), join(folder, 'app', 'within'))).toThrow('has no @sallyport/core')
})
