import * as v from 'valibot'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { callsSchema, getOptionPlaces, supervisionSchema } from './schema.js'

const getMessage = (schema: v.GenericSchema<any>, value: unknown): string | undefined =>
  v.safeParse(schema, value).issues?.[0].message

test('names the unit, the range and false', () =>
  rows([0, 9, 1.5, NaN, Infinity, 2 ** 31, true, '100'])(value => {
    expect(getMessage(callsSchema, { slowAfter: value })).toBe('whole milliseconds, from 10, or false')
    expect(getMessage(supervisionSchema, { heartbeat: value })).toBe('whole milliseconds, from 50, or false')
  }))

test('lists every option with its place, outer places first', () => {
  const places = ['core', 'supervision.restart', 'core.supervision.restart', 'frontends.<label>.sandbox.memory']
  const all = getOptionPlaces()
  const indexes = places.map(place => all.indexOf(place))
  expect(indexes).not.toContain(-1)
  expect(indexes).toEqual(indexes.toSorted((a, b) => a - b))
  expect(all).toContain('calls.quotas[…].rate')
  expect(all).toContain('config.identifier')
})
