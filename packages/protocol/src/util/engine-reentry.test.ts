import { expect, test } from 'vitest'
import { createReentry } from './engine-reentry.js'
import { mapSections } from './wasm-sections.js'

test('a module that is not that of QuickJS stays as it is', () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const body = [4, 0, 0x41, 1, 0x0b]
  for (const sections of [[], [10, 1, 0], [10, 1 + body.length, 1, ...body], [10, 9, 1, 40, 0]]) {
    const bytes = Uint8Array.of(...header, ...sections)
    expect([...mapSections(bytes, createReentry(bytes))]).toEqual([...bytes])
  }
})
