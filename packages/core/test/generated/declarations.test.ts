// Declarations that users compile against: they must not import packages that are bundled, and so are not installed.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const { exports, dependencies, peerDependencies } = JSON.parse(
  readFileSync(new URL('package.json', root), 'utf8'),
) as Record<string, Record<string, { types: string }>>

test('import only dependencies', () => {
  const installed = Object.keys({ ...dependencies, ...peerDependencies })
  const files = new Set(Object.values(exports!).map(({ types }) => new URL(types, root).href))
  const missing: string[] = []
  for (const file of files) {
    const source = readFileSync(new URL(file), 'utf8').replace(/\/\*.*?\*\//gs, '')
    for (const [, name] of source.matchAll(/(?:\bfrom |\bimport\()'([^']+)'/g)) {
      if (name!.startsWith('.')) files.add(new URL(name!.replace(/\.js$/, '.d.ts'), file).href)
      else if (!name!.startsWith('node:') && !installed.some(each => `${name}/`.startsWith(`${each}/`))) {
        missing.push(`${name} in ${file}`)
      }
    }
  }
  expect(missing).toEqual([])
  expect(files.size).toBeGreaterThan(50)
})
