// Which links are left out, in directories as people and package managers make them.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { findOutwardLinks, findWayOut, getReadFlags, hasMoreFiles, warnOfLinks } from './links.js'

let root: string
let program: string
const at = (path: string): string => join(root, path)
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'links-')))
  for (const path of [
    'app/own/sub/file',
    'app/own/node_modules/dep/file',
    'app/node_modules/dep/file',
    'outside/file',
  ]) {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), '')
  }
  writeFileSync(at('app/host.mjs'), '')
  program = process.argv[1]!
  process.argv[1] = at('app/host.mjs')
})
afterEach(() => {
  process.argv[1] = program
  rmSync(root, { recursive: true })
})

function link(path: string, target: string): void {
  mkdirSync(dirname(at(path)), { recursive: true })
  symlinkSync(target, at(path))
}
const find = (...more: string[]): string[] =>
  findOutwardLinks({ directories: ['app/own', 'app/node_modules', ...more].map(at), files: [] })
    .map(({ path }) => relative(at('app'), path))
    .toSorted()

test.skipIf(process.platform === 'win32')(
  'a link is left out if it leads out of all grants, at once or by another',
  () =>
    rows<[what: string, links: Record<string, string>, ...left: string[]]>([
      ['the root', { 'own/a': '/' }, 'own/a'],
      ['a file', { 'own/sub/a': '../../../outside/file' }, 'own/sub/a'],
      ['a neighbor', { 'own/a': '../own2' }, 'own/a'],
      ['what is missing', { 'own/a': '../../later', 'own/b': 'later' }, 'own/a'],
      ['a link that leads out', { 'own/a': 'b', 'own/b': '../../outside' }, 'own/a', 'own/b'],
      ['a directory with one', { 'own/a': 'sub', 'own/sub/b': '/' }, 'own/a', 'own/sub/b'],
      ['itself with one', { 'own/a': '.', 'own/b': '/' }, 'own/a', 'own/b'],
      ['in a package of its own', { 'own/node_modules/dep/a': '/' }, 'own/node_modules/dep/a'],
      ['a node_modules of its own', { 'own/sub/node_modules': '/' }, 'own/sub/node_modules'],
      [
        'a workspace',
        { 'node_modules/a': '../../outside', 'node_modules/@b/c': '../../../outside' },
        'node_modules/@b/c',
        'node_modules/a',
      ],
      ['in a store', { 'node_modules/.pnpm/a@1/node_modules/b': '/' }, 'node_modules/.pnpm/a@1/node_modules/b'],
      [
        'a name with a backslash',
        { 'own/..\\..': '/', 'own/a': '..\\../etc', 'node_modules/..\\..': '/', 'node_modules/a': '..\\../etc' },
        ...['node_modules/..\\..', 'node_modules/a', 'own/..\\..', 'own/a'],
      ],
      [
        'the parent of a link',
        { 'node_modules/d': '/usr/bin', 'node_modules/a': 'd/../lib' },
        'node_modules/a',
        'node_modules/d',
      ],
      ['of a package', { 'node_modules/dep/node_modules/a': '/' }, 'node_modules/dep/node_modules/a'],
      [
        'nothing that leads in',
        { 'own/a': 'sub', 'own/b': '../node_modules/dep', 'node_modules/c': '../own/sub/file' },
      ],
      ['no circle', { 'own/a': 'b', 'own/b': 'a' }],
    ])((_, links, ...left) => {
      for (const [path, target] of Object.entries(links)) link(`app/${path}`, target)
      try {
        expect(find()).toEqual(left)
      } finally {
        for (const path of Object.keys(links)) rmSync(at(`app/${path}`))
        rmSync(at('app/node_modules/.pnpm'), { recursive: true, force: true })
        rmSync(at('app/node_modules/dep/node_modules'), { recursive: true, force: true })
        utimesSync(at('app/node_modules'), 1, Math.random())
      }
    }),
)

test.skipIf(process.platform === 'win32')(
  'of packages that are not those of the host, links are left out everywhere',
  () => {
    link('repository/node_modules/dep/a', '/')
    const directories = [at('repository/node_modules')]
    expect(findOutwardLinks({ directories, files: [] }).map(({ path }) => path)).toEqual([
      at('repository/node_modules/dep/a'),
    ])
  },
)

test.skipIf(process.platform === 'win32')('a directory that has the name of a package of Sallyport is none', () => {
  mkdirSync(at('repository'))
  writeFileSync(at('repository/package.json'), '{ "name": "@sallyport/frontend" }')
  link('app/own/a', '../../repository')
  expect(find()).toEqual(['own/a'])
})

test.skipIf(process.platform === 'win32')(
  'a link in a directory to write leads to nothing else, also once it is moved',
  () =>
    rows<[target: string, isRefused: boolean]>([
      ['/', true],
      ['../../../node_modules/dep', true],
      ['../../node_modules', true],
      ['../file', true],
      ['deep/../file', true],
      ['file', false],
      ['deep', false],
    ])((target, isRefused) => {
      link('app/own/sub/deep/link', target)
      try {
        const found = findWayOut({ directories: [at('app/own/sub')], paths: [at('app/own/sub')] })
        expect(found?.path).toBe(isRefused ? at('app/own/sub/deep/link') : undefined)
      } finally {
        rmSync(at('app/own/sub/deep/link'))
      }
    }),
)

test('directories with more files than a host looks through are found, without reading them all', () => {
  for (const name of ['a', 'b', 'deep/c', 'deep/d']) {
    mkdirSync(dirname(at(`data/${name}`)), { recursive: true })
    writeFileSync(at(`data/${name}`), '')
  }
  return rows([
    [[at('data')], 5, false],
    [[at('data')], 4, true],
    [[at('data/deep'), at('data/missing'), at('outside')], 3, false],
    [[at('data/deep'), at('outside')], 2, true],
  ])((directories, most, isMore) => expect(hasMoreFiles(directories, most)).toBe(isMore))
})

test.skipIf(process.platform === 'win32')('a link is no longer left out once what it leads to is granted', () => {
  link('app/node_modules/a', '../../outside')
  expect(find()).toEqual(['node_modules/a'])
  expect(find('outside')).toEqual([])
})

test.skipIf(process.platform === 'win32')('a package that was linked meanwhile is seen', () => {
  expect(find()).toEqual([])
  link('app/node_modules/@a/b', '/')
  utimesSync(at('app/node_modules'), 1, 1)
  expect(find()).toEqual(['node_modules/@a/b'])
})

test.skipIf(process.platform === 'win32')('the rest is granted by as few patterns as leave the links out', () => {
  link('app/own/sub/fila', '/')
  link('app/own/sub/fi', 'file')
  for (const name of ['fil', 'other', 'others', '*', 'fi*', '😀']) writeFileSync(at(`app/own/sub/${name}`), '')
  const reads = { directories: [at('app/own'), at('app/node_modules')], files: [at('package.json')] }
  expect(
    getReadFlags(reads, findOutwardLinks(reads))
      .map(flag => flag.replace(`--allow-fs-read=${root}/`, ''))
      .toSorted(),
  ).toEqual([
    ...['app/node_modules/*', 'app/own/n*', 'app/own/sub/fi', 'app/own/sub/fil', 'app/own/sub/file*', 'app/own/sub/o*'],
    ...['app/own/sub/😀*', 'package.json'],
  ])
})

test.skipIf(process.platform === 'win32')('each link is warned of once, with the way to allow it', () => {
  link('app/own/a', '../../outside')
  const links = findOutwardLinks({ directories: [at('app/own')], files: [] })
  const texts: string[] = []
  const log = { warn: (fields: object, text: string) => void texts.push(`${JSON.stringify(fields)} ${text}`) }
  for (const name of ['x', 'y']) warnOfLinks(log, name, links)
  expect(texts).toHaveLength(1)
  expect(texts[0]).toContain(`"${at('app/own/a')} -> ${at('outside')}"`)
  expect(texts[0]).toContain(`Allow one: add read: ["${at('outside')}"] to its sandbox`)
})
