// The scripts for browsers, as they are published: their size, and that nothing of Node is in them.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'

const NODE = /\b(?:Buffer|process|global|require|setImmediate|__dirname)\b|\bnode:|\.unref\(/g

describe.each([
  { file: 'web/dist/browser/client.js', limit: 18 },
  { file: 'web/dist/browser/page.js', limit: 21 },
  { file: 'web/dist/browser/window-page.js', limit: 1 },
  { file: 'frontend/dist/browser/index.js', limit: 3 },
])('$file', ({ file, limit }) => {
  const code = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

  test(`has at most ${limit} KiB, compressed`, () => {
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(limit * 1024)
  })

  test('contains nothing of Node', () => {
    expect(code.match(NODE)).toBeNull()
    expect(code).not.toMatch(/\bimport\s*[({"'*]|\bfrom\s*["']/)
  })
})
