// The options of each kind, with a docstring each, and the schema that checks them have the same members.
import type * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import type { RunOptions } from '../../options/types.js'
import type { Sandbox } from './kinds.js'
import type { permissionKind, PermissionSandbox } from './permission.js'
import type { processKind, ProcessSandbox } from './process.js'
import type { quickjsKind, QuickjsSandbox } from './quickjs.js'

/** Names of the members that can have a value. A member whose only value is `undefined` exists for its error text. */
type Names<T> = T extends unknown
  ? { [K in keyof T]-?: [NonNullable<T[K]>] extends [never] ? never : K }[keyof T]
  : never
type Checked<Kind extends { schema?: v.GenericSchema }> = Names<v.InferInput<NonNullable<Kind['schema']>>>

test('each option of a kind is checked, and each that is checked has a docstring', () => {
  expectTypeOf<Names<PermissionSandbox>>().toEqualTypeOf<Checked<typeof permissionKind>>()
  expectTypeOf<Names<ProcessSandbox>>().toEqualTypeOf<Checked<typeof processKind>>()
  expectTypeOf<Names<QuickjsSandbox>>().toEqualTypeOf<Checked<typeof quickjsKind>>()
})

test('the code of a run can have each sandbox but none', () => {
  expectTypeOf<NonNullable<RunOptions['sandbox']>>().toEqualTypeOf<Exclude<Sandbox, 'none'>>()
})
