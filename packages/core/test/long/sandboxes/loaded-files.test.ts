// The imports of built entries: every thread that starts waits for all of them.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'

const STATIC_IMPORT =
  /^(?:import|export)\b[^"';]*?["']([^"']+)["']|^\}\s*from\s*["']([^"']+)["']|^(?:let .* = )?require\(["']([^"']+)["']\)/gm
const IMPORT = new RegExp(`${STATIC_IMPORT.source}|\\bimport\\(["']([^"']+)["']\\)`, 'gm')

function getImports(url: string, pattern: RegExp): string[] {
  const text = readFileSync(new URL(url), 'utf8')
  return [...text.matchAll(pattern)].map(match => match.slice(1).find(Boolean)!).filter(name => !isBuiltin(name))
}

/** Returns the files that a module loads, directly or not, and the packages that they are in. */
function walk(url: string, files = new Set<string>(), pattern = IMPORT): Set<string> {
  if (files.has(url)) return files
  files.add(url)
  for (const name of getImports(url, pattern)) walk(resolve(name, url), files, pattern)
  return files
}

function resolve(name: string, from: string): string {
  if (name.startsWith('.')) return new URL(name, from).href
  return name.startsWith('@sallyport/')
    ? import.meta.resolve(name)
    : pathToFileURL(createRequire(from).resolve(name)).href
}

/** A file that only exports parts of others has no map. */
function getSources(url: string): string[] {
  const map = new URL(`${url}.map`)
  return existsSync(map) ? (JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }).sources : []
}

test('the relay and a process load one file', () =>
  rows([
    // The broker of a network is loaded by relays that have one.
    ['the relay', '@sallyport/process/internal/relay'],
    ['a process', '@sallyport/frontend/process'],
  ])((_, entry) => {
    const program = import.meta.resolve(entry)
    expect([...walk(program, new Set(), STATIC_IMPORT)]).toEqual([program])
    expect(readFileSync(new URL(program), 'utf8')).toContain('require("node:')
  }))

test('no file that the relay loads contains a part of pino, xstate, valibot, the client or the host', () => {
  const sources = [...walk(import.meta.resolve('@sallyport/process/internal/relay'), new Set(), STATIC_IMPORT)].flatMap(
    getSources,
  )
  expect(sources).not.toEqual([])
  expect(sources.filter(name => /pino|xstate|valibot|packages\/(?:core|frontend)|\/client\//.test(name))).toEqual([])
})

test('a frontend loads no library but that for near names, and no part of core, in a worker and in a process', () =>
  rows(['worker', 'process'])(entry => {
    const sources = [...walk(import.meta.resolve(`@sallyport/frontend/${entry}`))].flatMap(getSources)
    expect(sources).not.toEqual([])
    expect(
      sources.filter(name =>
        /node_modules\/(?!\.pnpm\/fastest-lev|fastest-lev)|packages\/core|\/(?:host|life|options)\//.test(name),
      ),
    ).toEqual([])
  }))

test('a frontend loads one file of its package with its entry, and one with the functions that it imports', () => {
  const frontend = new URL('.', import.meta.resolve('@sallyport/frontend')).href
  const getFiles = (name: string): string[] =>
    [...walk(import.meta.resolve(name), new Set(), STATIC_IMPORT)].filter(url => url.startsWith(frontend))
  const inWorker = getFiles('@sallyport/frontend/worker')
  expect(inWorker).toHaveLength(2)
  expect(getFiles('@sallyport/frontend').filter(url => !inWorker.includes(url))).toHaveLength(1)
})

test('a core module that imports the package loads no library, and of the host only what starts a bus', () => {
  const core = new URL('.', import.meta.resolve('@sallyport/core')).href
  const files = [...walk(import.meta.resolve('@sallyport/core'), new Set(), STATIC_IMPORT)]
  const sources = files.filter(url => url.startsWith(core)).flatMap(getSources)
  expect(sources.filter(name => /node_modules|\/acl\/(?!types|identifier)/.test(name))).toEqual([])
  const hostSources = sources.flatMap(name => /\/src\/((?:host|life|options)\/.+)$/.exec(name)?.[1] ?? [])
  expect(new Set(hostSources)).toEqual(
    new Set(['host/entry.ts', 'life/workers/spare-worker.ts', 'life/workers/spawn.ts']),
  )
})

/** Modules that take milliseconds to load, and that a bus without processes, inspector and log lines does not use. */
const SLOW_MODULES = /^(?:import|\} from)\b.*["'](?:node:(?:child_process|crypto|http|https|net|tls)|pino)["']/m

test('a bus and its core load no slow module that the options do not ask for', () => {
  const index = import.meta.resolve('@sallyport/core')
  const chunks = [...walk(index)].filter(url =>
    getSources(url).some(name => /\/host\/bus\.ts$|core-thread\/core\.ts$/.test(name)),
  )
  expect(chunks.length).toBeGreaterThan(0)
  const entries = [...chunks, import.meta.resolve('#worker')]
  const files = new Set(entries.flatMap(url => [...walk(url, new Set(), STATIC_IMPORT)]))
  expect([...files].filter(url => SLOW_MODULES.test(readFileSync(new URL(url), 'utf8')))).toEqual([])
})

test('files of threads are ASCII, so that their text takes one byte for each character', () => {
  const entries = [
    '@sallyport/frontend/worker',
    '@sallyport/frontend',
    '@sallyport/isolation/internal/worker',
    '#worker',
    '@sallyport/process/internal/relay',
    '@sallyport/frontend/process',
  ]
  const files = new Set(entries.flatMap(name => [...walk(import.meta.resolve(name), new Set(), STATIC_IMPORT)]))
  const bundled = [...files].filter(url => !url.includes('/node_modules/'))
  expect(bundled.length).toBeGreaterThan(entries.length)
  expect(bundled.filter(url => /[^\0-\x7f]/.test(readFileSync(new URL(url), 'utf8')))).toEqual([])
})
