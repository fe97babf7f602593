// The scripts for browsers, as they are published: their size, and that nothing of Node is in them.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { rows } from '../../../scripts/testing.js'

/** `globalThis.setImmediate` asks whether there is one. */
const NODE = /(?<!globalThis\.)\b(?:Buffer|process|global|require|setImmediate|__dirname)\b|\bnode:|\.unref\(/g

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
/** In KiB, compressed. */
const LIMITS = {
  'extensions/web/dist/browser/client.js': 16.4375,
  'extensions/web/dist/browser/page.js': 19.125,
  'extensions/web/dist/browser/window-page.js': 1,
  'packages/frontend/dist/browser/index.js': 2.5,
}

test('each script has its size', () =>
  rows(LIMITS)((limit, file) => expect(gzipSync(read(file), { level: 9 }).length).toBeLessThanOrEqual(limit * 1024)))

test('no script contains anything of Node', () =>
  rows(Object.keys(LIMITS))(file => {
    expect(read(file).match(NODE)).toBeNull()
    expect(read(file)).not.toMatch(/\bimport\s*[({"'*]|\bfrom\s*["']/)
  }))
