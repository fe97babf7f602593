import { expect, test } from 'vitest'
import { choose, type Wish } from './choose.js'
import { allScenarios, getScenario } from '../scenarios/index.js'
import { UsageError } from './usage.js'

const noise = getScenario('noise')

const ours = allScenarios()
const ids = (filter: string | null, wish: Partial<Wish> = {}, own = ours.slice(0, 0)): string[] =>
  choose({ ours, own }, { filter, all: false, ...wish }).map(({ id }) => id)
const byName = ours.filter(({ main = false }) => !main).map(({ id }) => id)

test('without a filter the main scenarios are measured, with --all every one', () => {
  expect(ids(null)).toEqual(ours.filter(({ main }) => main).map(({ id }) => id))
  expect(ids(null, { all: true })).toEqual(ours.map(({ id }) => id))
})

test('what has to be named is measured where the filter names it, and only there', () => {
  expect(byName.length).toBeGreaterThan(3)
  for (const id of byName) {
    expect(ids(id)).toContain(id)
    expect(ids(`${id}/`)).toEqual(['noise', id])
    const [inCase] = ours.find(one => one.id === id)!.cases
    expect(ids(`${id}/${inCase!.id}`)).toContain(id)
  }
  expect(ids('msgpack').filter(id => byName.includes(id))).toEqual([])
  expect(ids('raw').filter(id => byName.includes(id))).toEqual([])
})

test('the check for noise comes along, first', () => {
  expect(ids('start')[0]).toBe('noise')
  expect(ids('noise')).toEqual(['noise'])
})

test('the user’s own scenarios are measured alone, or as they are asked for', () => {
  const own = [{ ...noise, id: 'mine' }]
  expect(ids(null, {}, own)).toEqual(['noise', 'mine'])
  expect(ids('mine', {}, own)).toEqual(['noise', 'mine'])
  expect(ids('/^start/', {}, own)).toEqual(['noise', 'start'])
  expect(ids(null, { all: true }, own)).toEqual([...ours.map(({ id }) => id), 'mine'])
})

test('what nothing is called is answered with what there is', () => {
  expect(() => ids('nonsense')).toThrow(UsageError)
  for (const { id } of ours) expect(() => ids('nonsense')).toThrow(id)
  expect(() => ids('/(/')).toThrow(/--filter: Invalid/)
})
