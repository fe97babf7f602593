// Schemas of the options `net` and `secrets`. Their messages repeat no values.
import * as v from 'valibot'
import { secret, strictOptions } from '../../../shared/schemas.js'
import { parseHostPattern } from '../process/network/host-list.js'

const hostRule = 'a host, such as "api.github.com", "*.npmjs.org:443" or "[::1]:8080"'
const host = v.pipe(
  v.string(hostRule),
  v.check(text => parseHostPattern(text) !== undefined, hostRule),
)
/** @internal */
export const hosts = v.pipe(v.array(host, 'an array of hosts'), v.minLength(1, 'an array with at least one host'))

const either = v.boolean('true, false or an array of hosts')

/** @internal `true`, `false` or a list of hosts. */
export const netOrHosts = v.optional(
  v.lazy(value => (Array.isArray(value) ? hosts : either)) as v.LazySchema<typeof hosts | typeof either>,
)

/** Visible characters of ASCII: what every header and every variable can hold. */
const VALUE = /^[\x21-\x7e]{1,4096}$/
const valueRule = 'a string of 1 to 4096 visible ASCII characters'
const NAME = /^[A-Za-z_]\w{0,99}$/

/** @internal */
export const secrets = v.optional(
  secret(
    v.record(
      v.pipe(v.string('a string'), v.regex(NAME, 'the name of an environment variable')),
      strictOptions({ value: v.pipe(v.string(valueRule), v.regex(VALUE, valueRule)), hosts }),
      'an object',
    ),
  ),
)
