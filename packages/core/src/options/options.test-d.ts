// The options as users write them, with a docstring each, and the schemas that check them have the same members.
import type * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import type {
  callsSchema,
  connectionSchema,
  frontendSchema,
  moduleSourceSchema,
  runSchema,
  busSchema,
} from './schema.js'
import type {
  BusOptions,
  ConnectionOptions,
  FrontendOptions,
  IsolationOptions,
  ModuleSource,
  ReportedRunOptions,
  RunsOptions,
} from './types.js'
import type { CallsOptions } from '../contract/host-core.js'

/** Names of the members that can have a value. A member whose only value is `undefined` exists for its error text. */
type Names<T> = T extends unknown
  ? { [K in keyof T]-?: [NonNullable<T[K]>] extends [never] ? never : K }[keyof T]
  : never
type Input<Schema extends v.GenericSchema> = NonNullable<v.InferInput<Schema>>
type Checked = Input<typeof busSchema>

test('each option of the bus is checked, and each that is checked has a docstring', () => {
  expectTypeOf<Names<BusOptions>>().toEqualTypeOf<Names<Checked>>()
  expectTypeOf<Names<IsolationOptions>>().toEqualTypeOf<Names<NonNullable<Checked['isolation']>>>()
  expectTypeOf<Names<RunsOptions>>().toEqualTypeOf<Names<NonNullable<Checked['runs']>>>()
  expectTypeOf<Names<CallsOptions>>().toEqualTypeOf<Names<Input<typeof callsSchema>>>()
})

test('so are the options of connections, frontends, runs and code as text', () => {
  expectTypeOf<Names<ConnectionOptions>>().toEqualTypeOf<Names<Input<typeof connectionSchema>>>()
  expectTypeOf<Names<FrontendOptions>>().toEqualTypeOf<Names<Input<typeof frontendSchema>>>()
  expectTypeOf<Names<ReportedRunOptions>>().toEqualTypeOf<Names<Input<typeof runSchema>>>()
  expectTypeOf<Names<ModuleSource>>().toEqualTypeOf<Names<Input<typeof moduleSourceSchema>>>()
})
