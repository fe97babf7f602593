// The record of Node's exports (node-exports.json): what each of them means in a frontend with `sandbox: 'permission'`.
//   tried      the fuzzer (test/long/hostile/node-calls) calls it, its methods and accessors with generated arguments, and the host lives on
//   value      neither a function nor an object that has any, or missing in a frontend
//   language   part of the language and of V8: not tried
//   denied     Node's permission model refuses it, or what it would do
//   removed    the sandbox removes it
//   wrapped    the sandbox replaces it, or what it calls, with something that checks or is inert
//   open       reaches what docs/reference/security.md lists in "What stays open", by the first words there
//   constants  a pattern of names
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('node-exports.json', import.meta.url)
/** Characters of a line of names. */
const LINE = 120

/** Modules whose exports mean what those of another module do. */
const SAME_AS = {
  'assert/strict': 'assert',
  'dns/promises': 'dns',
  'inspector/promises': 'inspector',
  'path/posix': 'path',
  'path/win32': 'path',
  sys: 'util',
}

export const readRecord = () => JSON.parse(readFileSync(file, 'utf8'))

export const writeRecord = record => writeFileSync(file, `${JSON.stringify(record, undefined, 2)}\n`)

const includes = (lines, name) => lines.some(line => line.split(' ').includes(name))

/** Returns the class of an export; `open: ` and the first words for one that is listed there. */
export function findClass(record, id, name) {
  const { open = {}, constants, ...classes } = record[SAME_AS[id] ?? id] ?? {}
  for (const [words, lines] of Object.entries(open)) if (includes(lines, name)) return `open: ${words}`
  for (const [kind, lines] of Object.entries(classes)) if (includes(lines, name)) return kind
  return constants !== undefined && new RegExp(`^(?:${constants})$`).test(name) ? 'constants' : undefined
}

/** Returns the names of a class as the record has them. */
export function toLines(names) {
  const lines = []
  for (const name of names.toSorted()) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + name.length < LINE) lines.push(`${lines.pop()} ${name}`)
    else lines.push(name)
  }
  return lines
}
