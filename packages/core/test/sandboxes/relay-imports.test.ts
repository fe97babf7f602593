// The imports of the built relay, for which every process waits.
import { readFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { expect, test } from 'vitest'

const IMPORT =
  /^(?:import|export)\b[^"';]*?["']([^"']+)["']|^\}\s*from\s*["']([^"']+)["']|\bimport\(["']([^"']+)["']\)/gm

function getImports(url: string): string[] {
  const text = readFileSync(new URL(url), 'utf8')
  return [...text.matchAll(IMPORT)].map(match => (match[1] ?? match[2] ?? match[3])!).filter(name => !isBuiltin(name))
}

/** Returns the files that a module loads, directly or not, and the packages that they are in. */
function walk(url: string, files = new Set<string>()): Set<string> {
  if (files.has(url)) return files
  files.add(url)
  for (const name of getImports(url)) walk(resolve(name, url), files)
  return files
}

function resolve(name: string, from: string): string {
  if (name.startsWith('.')) return new URL(name, from).href
  return name.startsWith('@sallyport/') ? import.meta.resolve(name) : createRequire(from).resolve(name)
}

const getSources = (url: string): string[] =>
  (JSON.parse(readFileSync(new URL(`${url}.map`), 'utf8')) as { sources: string[] }).sources

test('the relay loads files of core and of the protocol, and no library', () => {
  const [core, protocol] = ['#relay', '@sallyport/protocol/internal'].map(
    name => new URL('.', import.meta.resolve(name)).href,
  )
  const files = [...walk(import.meta.resolve('#relay'))]
  expect(files.filter(url => !url.startsWith(core!) && !url.startsWith(protocol!))).toEqual([])
  expect(files.length).toBeGreaterThan(1)
})

test('no file that the relay loads contains a part of pino, xstate, valibot, the client or the host', () => {
  const sources = [...walk(import.meta.resolve('#relay'))].flatMap(getSources)
  expect(sources).not.toEqual([])
  expect(sources.filter(name => /pino|xstate|valibot|packages\/frontend|\/client\/|\/host\//.test(name))).toEqual([])
})
