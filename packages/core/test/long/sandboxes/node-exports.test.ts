// The exports of Node's public modules in a sandboxed frontend: each has a class. A new version of Node fails this test until its new exports
// have a class: `node scripts/node-exports.mjs` lists them.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeCode, loadNodeExports } from '../../fixtures/sandboxes/node-exports.mjs'
import { findClass, readRecord } from '../../support/node-export-record.mjs'
import { fixture, next, start } from '../../support/start.js'

const record = readRecord()
const page = readFileSync(new URL('../../../../../docs/reference/security.md', import.meta.url), 'utf8')
const section = page.slice(page.indexOf('### What stays open'), page.indexOf('## Process'))

/** The classes that a frontend can check. */
const CHECKED = new Set(['removed', 'wrapped', 'denied', 'constants'])
/** The classes that say what the fuzzer of Node's calls does with an export. */
const PLANNED = new Set(['tried', 'value', 'language'])

test('every export of Node has a class, which is true in a frontend', async () => {
  const modules = await loadNodeExports()
  const classes: Record<string, Record<string, string>> = {}
  for (const [id, { names }] of Object.entries(modules)) {
    for (const name of names) {
      const kind = findClass(record, id, name)
      if (kind !== undefined && CHECKED.has(kind)) (classes[id] ??= {})[name] = kind
    }
  }
  const bus = await start()
  const result = next<{
    found: Record<string, string[]>
    outcomes: Record<string, unknown>
    planned: Record<string, Record<string, string>>
  }>(bus, 'exports')
  await bus.open('main', fixture('sandboxes/exports.mjs'), {
    sandbox: { kind: 'permission', read: [new URL('../hostile/node-calls', import.meta.url)] },
    data: classes,
  })
  const { found, outcomes, planned } = await result
  const unclassed = Object.entries(found).flatMap(([id, names]) =>
    names.filter(name => [undefined, 'unclassed'].includes(findClass(record, id, name))).map(name => `${id}.${name}`),
  )
  expect(unclassed, 'exports of this Node.js without a class').toEqual([])

  const different = Object.entries(planned).flatMap(([id, plans]) =>
    Object.entries(plans).flatMap(([name, plan]) => {
      const kind = findClass(record, id, name)
      // Some exist only in other versions, or on other systems.
      const isPlanned = !PLANNED.has(kind!) || kind === plan || (kind === 'tried' && plan === 'value')
      return isPlanned ? [] : [`${id}.${name}: ${kind}, but the fuzzer says ${plan}`]
    }),
  )
  expect(different).toEqual([])

  const wrong = Object.entries(outcomes).filter(([name, outcome]) => {
    const at = name.lastIndexOf('.')
    const [id, key] = [name.slice(0, at), name.slice(at + 1)]
    // Text is the code of a function, which differs from Node's own.
    const isReplaced = classes[id]![key] === 'wrapped' && typeof outcome === 'string'
    return isReplaced ? outcome === describeCode(modules[id]!.holder[key]) : outcome !== true
  })
  expect(wrong).toEqual([])
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['fs.readSync', 'process.kill', 'vm.Script']))
})

test('the documentation lists every open export', () => {
  const listed = new Set(Object.values(record).flatMap(({ open = {} }) => Object.keys(open)))
  for (const words of listed) expect(section).toMatch(new RegExp(`^- \\*\\*${words}\\.?\\*\\*`, 'm'))
})
