// Options that core and joined processes share: how to connect to NATS, the name of the bus, and the heartbeat. They are plain
// data, so that core's thread can be given a copy.
import { isAbsolute } from 'node:path'
import * as v from 'valibot'
import { isName } from './subjects.js'

/** Connection to NATS, as in NATS's own clients. Credentials are one of `user`, `token`, `credsFile` and `nkeySeed`. */
export interface NatsConnectionOptions {
  /** `nats://host:port`, `tls://host:port` or `host:port`. The client discovers the other servers of a cluster. */
  servers: string | readonly string[]
  /** The user's name. */
  user?: string | undefined
  /** The password. */
  pass?: string | undefined
  /** The token. */
  token?: string | undefined
  /** Absolute path of a credentials file, as `nsc` writes it. */
  credsFile?: string | undefined
  /** Seed of an NKey, `SU…`. */
  nkeySeed?: string | undefined
  /** Requires TLS, even if it is `{}`. */
  tls?: TlsOptions | undefined
  /** Name of the connection in NATS's own lists. */
  name?: string | undefined
}

/** Absolute paths of PEM files, and how TLS begins. */
export interface TlsOptions {
  /** Certificate authorities that may have issued the server's certificate, in place of the system's. */
  caFile?: string | undefined
  /** Client certificate, if the server asks for one. Requires `keyFile`. */
  certFile?: string | undefined
  /** The path of the private key in PEM format. */
  keyFile?: string | undefined
  /** Begins with the TLS handshake, if the server is configured with `handshake_first`. */
  handshakeFirst?: boolean | undefined
}

export const getServers = ({ servers }: NatsConnectionOptions): string[] =>
  typeof servers === 'string' ? [servers] : [...servers]

/** Excludes `user:password@`: logs and errors show the server. */
const SERVER = /^(?:(?:nats|tls):\/\/)?(?:[a-z\d_.-]+|\[[a-f\d:.]+\])(?::\d{1,5})?$/i
const SERVER_RULE = 'a server: nats://host:port, tls://host:port or host:port, with credentials in separate options'
const server = v.pipe(v.string('a string'), v.regex(SERVER, SERVER_RULE))
const text = v.optional(v.pipe(v.string('a string'), v.nonEmpty('a non-empty string')))
const path = v.optional(v.pipe(v.string('an absolute path'), v.check(isAbsolute, 'an absolute path')))

const tlsEntries = {
  caFile: path,
  certFile: path,
  keyFile: path,
  handshakeFirst: v.optional(v.boolean('true or false')),
} satisfies Record<keyof TlsOptions, v.GenericSchema>
const natsEntries = {
  servers: v.union(
    [server, v.pipe(v.array(server), v.minLength(1, 'a non-empty array of servers'))],
    'a server of NATS, or an array of servers, as in nats://host:port',
  ),
  user: text,
  pass: text,
  token: text,
  credsFile: path,
  nkeySeed: text,
  tls: v.optional(v.strictObject(tlsEntries, 'an object')),
  name: text,
} satisfies Record<keyof NatsConnectionOptions, v.GenericSchema>

/** @internal */
export const natsOptions: v.GenericSchema<NatsConnectionOptions> = v.pipe(
  v.strictObject(natsEntries, 'an object with the servers'),
  v.check(
    ({ user, token, credsFile, nkeySeed }) =>
      [user, token, credsFile, nkeySeed].filter(value => value !== undefined).length <= 1,
    'an object with at most one of user, token, credsFile and nkeySeed',
  ),
  v.check(({ user, pass }) => pass === undefined || user !== undefined, 'an object with user if it has pass'),
  v.check(
    ({ tls }) => (tls?.certFile === undefined) === (tls?.keyFile === undefined),
    'an object with both or neither of tls.certFile and tls.keyFile',
  ),
)

/** @internal */
export const busName: v.GenericSchema<string> = v.custom(isName, '1 to 64 letters, digits, "-" and "_"')

const HEARTBEAT_RULE = 'whole milliseconds, from 50 to 60000'
/** @internal */
export const heartbeat: v.GenericSchema<number | undefined, number> = v.optional(
  v.pipe(
    v.number(HEARTBEAT_RULE),
    v.integer(HEARTBEAT_RULE),
    v.minValue(50, HEARTBEAT_RULE),
    v.maxValue(60_000, HEARTBEAT_RULE),
  ),
  2000,
)
