// What is said of an option that may be a number or `false`, where the number is wrong.
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { calls, supervision } from './schema.js'

const said = (schema: v.GenericSchema<any>, given: unknown): string | undefined =>
  v.safeParse(schema, given).issues?.[0].message

test.each([0, 9, 1.5, NaN, Infinity, 2 ** 31, true, '100'])('%s', given => {
  expect(said(calls, { slowAfter: given })).toBe('whole milliseconds, from 10, or false')
  expect(said(supervision, { heartbeat: given })).toBe('whole milliseconds, from 50, or false')
})
