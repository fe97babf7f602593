// Schemas of the options `net` and `secrets`. Their messages repeat no values.
import {
  HOST_RULE,
  HOSTS_RULE,
  NET_RULE,
  parseHostPattern,
  SECRET_NAME,
  SECRET_NAME_RULE,
  SECRET_VALUE,
  SECRET_VALUE_RULE,
} from '@sallyport/process/internal/permission-model'
import * as v from 'valibot'
import { secret, strictOptions } from '../../shared/schemas.js'

const host = v.pipe(
  v.string(HOST_RULE),
  v.check(text => parseHostPattern(text) !== undefined, HOST_RULE),
)
/** @internal */
export const hosts = v.pipe(v.array(host, 'an array of hosts'), v.minLength(1, HOSTS_RULE))

const either = v.boolean(NET_RULE)

/** @internal `true`, `false` or a list of hosts. */
export const netOrHosts = v.optional(
  v.lazy(value => (Array.isArray(value) ? hosts : either)) as v.LazySchema<typeof hosts | typeof either>,
)

/** @internal */
export const secrets = v.optional(
  secret(
    v.record(
      v.pipe(v.string('a string'), v.regex(SECRET_NAME, SECRET_NAME_RULE)),
      strictOptions({ value: v.pipe(v.string(SECRET_VALUE_RULE), v.regex(SECRET_VALUE, SECRET_VALUE_RULE)), hosts }),
      'an object',
    ),
  ),
)
