import { expect, test } from 'vitest'
import { choose } from './choose.js'
import { UsageError } from './options.js'
import { allScenarios, linkScenarios, namedScenarios } from './scenarios/index.js'

const ids = (filter: string | null): string[] => choose(filter).map(({ id }) => id)

test('the links are measured where the filter says so, and only there', () => {
  const links = linkScenarios().map(({ id }) => id)
  expect(ids(null)).toEqual(allScenarios().map(({ id }) => id))
  expect(ids('link')).toEqual(links)
  expect(ids('link-io')).toEqual(['link-io'])
  expect(ids('/^link-(io|http)/')).toEqual(['link-io', 'link-http'])
  expect(ids('msgpack').filter(id => links.includes(id))).toEqual([])
  expect(ids('raw').filter(id => links.includes(id))).toEqual([])
})

test('so are the details of sandboxes and of the cipher', () => {
  expect(ids('sandbox')).toEqual(['sandbox', 'sandbox-start', 'sandbox-memory'])
  expect(ids('cipher')).toEqual(['cipher-json', 'cipher-bytes'])
  expect(ids('/^(sandbox|cipher)-/')).toEqual(['sandbox-start', 'sandbox-memory', 'cipher-json', 'cipher-bytes'])
  expect(ids('start')).toEqual(['start'])
})

test('each of them begins with the word that it is asked for with', () => {
  for (const [word, scenarios] of Object.entries(namedScenarios())) {
    for (const { id } of scenarios) expect(id).toMatch(new RegExp(`^${word}-`))
  }
})

test('what nothing is called is answered with what there is, those that have to be named too', () => {
  expect(() => choose('nonsense')).toThrow(UsageError)
  expect(() => choose('nonsense')).toThrow(/link-fan-out +1 4 16/)
  expect(() => choose('nonsense')).toThrow(/link-…, sandbox-…, cipher-… have to be named/)
})
