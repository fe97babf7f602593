import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { type CpuProfile, findGrowth } from './growth.js'

const roots = { base: resolve('/checkout'), head: resolve('/work') }

type Samples = readonly [name: string, path: string, us: number][]

const profile = (root: string, samples: Samples): CpuProfile => ({
  nodes: samples.map(([functionName, path], id) => {
    const url = path.startsWith('node:') || path === '' ? path : pathToFileURL(join(root, path)).href
    return { id, callFrame: { functionName, url } }
  }),
  samples: samples.map((_, id) => id),
  timeDeltas: samples.map(([, , us]) => us),
})

const grow = (base: Samples, head: Samples): [string, string, number, number][] =>
  findGrowth({ base: [profile(roots.base, base)], head: [profile(roots.head, head)] }, roots).map(
    ({ name, file, base: before, head: after }) => [name, file.replaceAll('\\', '/'), before, after],
  )

test('finds what grew and what is new, the most first, in files of two directories', () => {
  const base: Samples = [
    ['parse', 'src/a.js', 1000],
    ['send', 'src/b.js', 1000],
    ['readFileSync', 'node:fs', 500],
  ]
  const head: Samples = [
    ['parse', 'src/a.js', 1000],
    ['parse', 'src/a.js', 200],
    ['send', 'src/b.js', 900],
    ['', 'src/new.js', 800],
    ['readFileSync', 'node:fs', 600],
  ]
  expect(grow(base, head)).toEqual([
    ['anonymous functions', 'src/new.js', 0, 800],
    ['parse', 'src/a.js', 1000, 1200],
    ['readFileSync', 'node:fs', 500, 600],
  ])
})

test('leaves out what grew by less than a fiftieth of the whole, and time without code', () => {
  const base: Samples = [['parse', 'a.js', 1000]]
  const head: Samples = [
    ['parse', 'a.js', 1019],
    ['(idle)', '', 9000],
    ['(program)', '', 9000],
  ]
  expect(grow(base, head)).toEqual([])
})

test('lists five at most', () => {
  const head = Array.from({ length: 9 }, (_, at): Samples[number] => [`f${at}`, 'a.js', 100 + at])
  expect(grow([], head).map(([name]) => name)).toEqual(['f8', 'f7', 'f6', 'f5', 'f4'])
})
