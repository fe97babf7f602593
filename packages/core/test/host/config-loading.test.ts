// A bus without a configuration does not load the parsers.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const bundle = new URL('../../dist/bundle/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, bundle), 'utf8')

/** Returns the files that are loaded together with this one. */
function loadedWith(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const [, other] of read(name).matchAll(/^(?:import|export) [^;]*?from "\.\/([^"]+)"/gm)) loadedWith(other!, seen)
  return seen
}

test('loads the parsers only for a configuration', () => {
  const holds = (name: string): boolean => /Invalid TOML document|JSON5: invalid/.test(read(name))
  const all = readdirSync(fileURLToPath(bundle)).filter(name => existsSync(new URL(`${name}.map`, bundle)))
  expect(all.filter(holds)).not.toEqual([])
  const bus = all.find(name => read(`${name}.map`).includes('src/host/bus.ts'))!
  const atStart = ['index.js', bus, 'worker.js'].flatMap(name => [...loadedWith(name)])
  expect(atStart.length).toBeGreaterThan(3)
  expect(atStart.filter(holds)).toEqual([])
})
