import { expect, test } from 'vitest'
import { choose } from './choose.js'
import { UsageError } from './options.js'
import { allScenarios, linkScenarios } from './scenarios/index.js'

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

test('what nothing is called is answered with what there is, the links too', () => {
  expect(() => choose('nonsense')).toThrow(UsageError)
  expect(() => choose('nonsense')).toThrow(/link-fan-out +1 4 16/)
})
