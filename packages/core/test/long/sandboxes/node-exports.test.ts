// The exports of Node's public modules in a sandboxed frontend: each has a class. A new version of Node fails this test until its new exports
// have a class: `node scripts/node-exports.mjs` lists them.
import { callCorrectly, wrong } from '../../fixtures/sandboxes/node-calls.mjs'
import { type Bus } from '../../../src/index.js'
import { choose, rows } from '../../../../../scripts/testing.js'
import { readFileSync } from 'node:fs'
import { expect, test, describe } from 'vitest'
import { describeCode, loadNodeExports } from '../../fixtures/sandboxes/node-exports.mjs'
import { findClass, readRecord } from '../../support/node-export-record.mjs'
import { fixture, next, start, reuseBus } from '../../support/start.js'

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

// Wrong calls of Node's functions, each of which would end the host's process without the sandbox, and correct ones.
describe('calls', () => {
  const bus = reuseBus()

  describe.each(choose(['permission', 'process'] as const))('sandbox: %s', sandbox => {
    const open = async (): Promise<Bus> => {
      const shared = await bus()
      await shared.open('main', fixture('sandboxes/calling.mjs'), { sandbox })
      return shared
    }

    test('a wrong call throws in the frontend, and the host lives on', async () => {
      const shared = await open()
      await rows(Object.keys(wrong))(async name => {
        expect(await shared.call<string[]>('main', 'callWrongly', { name })).not.toContain('nothing')
      })
    })

    test('correct calls have the same results as in the host: -0 is 0, and a slice of a blob rounds', async () => {
      const shared = await open()
      const outcomes = await shared.call<Record<'negative' | 'positive', unknown[]>>('main', 'callWithZeros')
      expect(outcomes.negative).toEqual(outcomes.positive)
      expect(outcomes.positive).toContain('true')
      expect(await shared.call('main', 'slice')).toEqual([1, 3, 3, 1, 0])
      const expected: unknown = JSON.parse(JSON.stringify(callCorrectly()))
      expect(await shared.call('main', 'callCorrectly')).toEqual(expected)
    })
  })
})
