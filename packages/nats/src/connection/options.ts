// What core and joined processes are given alike: where NATS is and how it is entered, as plain data that core's thread can be given;
// the name of the bus, and its heartbeat.
import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { isName } from './subjects.js'

/** As in NATS's own clients. Credentials are one of `user`, `token`, `credsFile` and `nkeySeed`. */
export interface NatsOptions {
  /** `nats://host:port`, `tls://host:port` or `host:port`; of a cluster one or more, the others are found. */
  servers: string | readonly string[]
  user?: string | undefined
  pass?: string | undefined
  token?: string | undefined
  /** A file of credentials, as `nsc` writes it: its absolute path. */
  credsFile?: string | undefined
  /** The seed of an NKey, `SU…`. */
  nkeySeed?: string | undefined
  /** Where it is given, also as `{}`, no connection is made without TLS. */
  tls?: TlsOptions | undefined
  /** What NATS calls the connection in its own lists. */
  name?: string | undefined
}

/** Files are PEM, by their absolute paths. */
export interface TlsOptions {
  /** Authorities that the server's certificate may come from, in place of the system's. */
  caFile?: string | undefined
  /** Of this client, where the server asks for one; with its `keyFile`. */
  certFile?: string | undefined
  keyFile?: string | undefined
  /** TLS from the first byte on, where the server is set up so. */
  handshakeFirst?: boolean | undefined
}

export const getServers = ({ servers }: NatsOptions): string[] =>
  typeof servers === 'string' ? [servers] : [...servers]

/** What stands before an `@` would be shown with the server, in logs and errors. */
const SERVER = /^(?:(?:nats|tls):\/\/)?(?:[a-z\d_.-]+|\[[a-f\d:.]+\])(?::\d{1,5})?$/i
const server = v.pipe(
  v.string('a text'),
  v.regex(SERVER, 'a server: nats://host:port, tls://host:port or host:port, with credentials in options of their own'),
)
const text = v.optional(v.pipe(v.string('a text'), v.nonEmpty('a text that is not empty')))
const path = v.optional(
  v.pipe(
    v.string('an absolute path'),
    v.check(given => isAbsolute(given), 'an absolute path'),
  ),
)
const tlsEntries = {
  caFile: path,
  certFile: path,
  keyFile: path,
  handshakeFirst: v.optional(v.boolean('true or false')),
}
const natsEntries = {
  servers: v.union(
    [server, v.pipe(v.array(server), v.minLength(1, 'a list of one server or more'))],
    'a server of NATS, or a list of some, as in nats://host:port',
  ),
  user: text,
  pass: text,
  token: text,
  credsFile: path,
  nkeySeed: text,
  tls: v.optional(v.strictObject(tlsEntries, 'an object')),
  name: text,
}

const oneWayIn = ({
  user,
  token,
  credsFile,
  nkeySeed,
}: v.InferOutput<v.StrictObjectSchema<typeof natsEntries, string>>): boolean =>
  [user, token, credsFile, nkeySeed].filter(each => each !== undefined).length <= 1

/** @internal */
export const natsOptions: v.GenericSchema<NatsOptions> = v.pipe(
  v.strictObject(natsEntries, 'an object with the servers'),
  v.check(oneWayIn, 'with no more than one of user, token, credsFile and nkeySeed'),
  v.check(({ user, pass }) => pass === undefined || user !== undefined, 'with user where it has pass'),
  v.check(
    ({ tls }) => (tls?.certFile === undefined) === (tls?.keyFile === undefined),
    'with both of tls.certFile and tls.keyFile',
  ),
)

/** @internal */
export const busName: v.GenericSchema<string> = v.custom(isName, '1 to 64 letters, digits, "-" and "_"')

const SPAN = 'whole milliseconds, from 50 to 60000'
/** @internal */
export const heartbeat: v.GenericSchema<number | undefined, number> = v.optional(
  v.pipe(v.number(SPAN), v.integer(SPAN), v.minValue(50, SPAN), v.maxValue(60_000, SPAN)),
  2000,
)
