// Of the attempts: each is well formed, and the words of one in two places that are quick to start.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

interface Way {
  tries: unknown
  decides: unknown
  reached(seen: object): unknown
  default(given: object): Promise<unknown>
}
const here = new URL('../', import.meta.url)
const program = fileURLToPath(new URL('attempts.mjs', here))

test('each attempt says what it tries, decides by what was seen, and is text that runs anywhere', async () => {
  const files = readdirSync(new URL('ways/', here))
  const nothing = { answer: '', secret: 's', mark: 'm', exists: () => false, hits: {} }
  for (const file of files) {
    const way = (await import(new URL(`ways/${file}`, here).href)) as Way
    expect([typeof way.tries, typeof way.decides, Boolean(way.reached(nothing))], file).toEqual([
      'string',
      'string',
      false,
    ])
    expect(way.default.toString(), file).not.toMatch(/\bimport\s*\(/)
  }
})

test('an attempt is reached in node:vm, and held by a sandbox', async () => {
  const [major] = process.versions.node.split('.')
  const args = ['--print', '--node', major!, '--place', "vm`|^`'permission", '--ways', 'read-a-file']
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args])
  expect(stdout).toMatch(/'permission'`, read-a-file: held.*\n.*node:vm`, read-a-file: reached\n$/)
})
