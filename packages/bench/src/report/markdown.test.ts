import { expect, test } from 'vitest'
import { sampleReport, withFailure } from '../../test/sample-report.js'
import { allScenarios, linkScenarios, namedScenarios } from '../scenarios/index.js'
import { toMarkdown } from './markdown.js'

test('says where and when it was measured', () => {
  const text = toMarkdown(sampleReport())
  expect(text).toContain('4 × Sample CPU 3.0 GHz · Node 20.20.2 · linux x64')
  expect(text).toContain('2026-01-02 03:04 UTC · quick, 42 s · load 0.25 → 1.5')
  expect(text).toContain('@sallyport/bench 1.2.3')
})

test('has a table for the digest, the cost of isolation, and each scenario', () => {
  const text = toMarkdown(sampleReport())
  expect(text.match(/^## .*/gm)).toEqual([
    '## In short',
    '## What isolation costs',
    '## A call and its answer',
    '## Documents there and back',
    '## One-way messages',
    '## A call from each sandbox',
    '## Start',
    '## Codecs alone',
  ])
  expect(text).toContain('| brownfield JSON | 55.0 µs (1.23×) |')
  expect(text).toContain('| + hook | 10.0 µs | 0.156 µs |')
})

test('every row of a table has as many cells as its head', () => {
  const both = [...allScenarios(), ...Object.values(namedScenarios()).flat()]
  const tables = toMarkdown(sampleReport(undefined, both))
    .split('\n\n')
    .filter(part => part.startsWith('|'))
  for (const table of tables) {
    const widths = new Set(table.split('\n').map(line => line.replaceAll('\\|', '').split('|').length))
    expect(widths.size).toBe(1)
  }
})

test('goals come first, each a row with its reference', () => {
  const text = toMarkdown(sampleReport(undefined, linkScenarios()))
  expect(text).toContain('## Goals: ')
  expect(text).toContain('| 64 in flight, JSON | birpc | ')
})

test('an error stays one line of a list', () => {
  const text = toMarkdown(sampleReport(withFailure('start', 'brownfield-json', 'first\nsecond')))
  expect(text).toContain('- start/*/brownfield-json: first second\n')
})
