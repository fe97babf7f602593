// The options of `serveFrontends`, and their checks.
import { stat } from 'node:fs/promises'
import type { IncomingMessage, Server } from 'node:http'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FrontendOptions } from '@sallyport/core'
import { checkSecretOptions, type ConnectionOptions } from '@sallyport/core/internal'
import { BusError } from '@sallyport/protocol/internal/errors'
import { FREE_LABEL_RULE } from '@sallyport/protocol/internal/message'
import { MIN_PAGE_MESSAGE_BYTES, MAX_PAGE_MESSAGE_BYTES } from '@sallyport/protocol/internal/wire'
import * as v from 'valibot'
import { isOrigin } from './http/request-policy.js'

/** Options of the pages of one label. */
export interface PageOptions extends Pick<FrontendOptions, 'allow' | 'data' | 'maxInFlight' | 'overflow'> {
  /** Serves the directory of the page's static files: a URL or an absolute path. Not available with `server`, which serves them itself. */
  dir?: URL | string
  /** Lets further tabs have labels of their own, `main-2` and so on, with the same `allow`. Otherwise they are refused. @default false */
  multiple?: boolean
  /**
   * Sets the content security policy of the served pages. By default that of the bus's Tauri project, or the page's own origin, images from `data:`
   * and `blob:`, fonts from `data:`.
   */
  csp?: string
  /**
   * Runs classic scripts in each page before its own: files, as URLs or absolute paths. They run once Tauri's globals are there.
   * @default []
   */
  scripts?: readonly (URL | string)[]
}

/** Options of `serveFrontends`. */
export interface WebOptions {
  /** Serves pages, by label. */
  frontends: Readonly<Record<string, PageOptions>>
  /**
   * Sets the port on 127.0.0.1 of the first label; each further label has the next one, because pages of one origin can read each other. 0
   * lets the system choose.
   * @default 0
   */
  port?: number
  /** Attaches the WebSocket to an existing `http` or `https` server, at `/sallyport`. Requires `authenticate`. */
  server?: Server
  /**
   * Returns the label of the page that makes a request, or `undefined` to refuse it. It takes the place of the token in the URL.
   *
   * @example authenticate: request => (getUser(request.headers.cookie)?.isAdmin ? 'main' : undefined)
   */
  authenticate?: (request: IncomingMessage) => string | undefined | Promise<string | undefined>
  /** Lets further origins connect, such as `http://localhost:5173` of a development server that proxies `/sallyport`: also by `127.0.0.1` and `[::1]`. */
  origins?: readonly string[]
  /** Limits the connected pages of each label. @default 64 */
  maxConnections?: number
  /**
   * Limits the bytes of one message from a page, with the bytes among its arguments; at least 65536. The page's client refuses a larger one
   * with `InvalidParams`.
   * @default 285212672
   */
  maxMessageBytes?: number
  /** Limits the pages of each label that connect in one second. @default 20 */
  maxHandshakes?: number
  /** Sends a heartbeat after so many milliseconds. A page that has not answered by the next one is disconnected. @default 15000 */
  heartbeat?: number
}

const isFunction = (value: unknown): boolean => typeof value === 'function'
const integer = (what: string, min: number, max = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(what), v.integer(what), v.minValue(min, what), v.maxValue(max, what))
const count = 'a whole number, from 1'
const location = v.custom<URL | string>(
  value =>
    value instanceof URL
      ? value.protocol === 'file:' && value.host === ''
      : typeof value === 'string' && isAbsolute(value),
  'a file URL or an absolute path',
)
const pageSchema = v.looseObject({
  dir: v.optional(location),
  multiple: v.optional(v.boolean('true or false'), false),
  csp: v.optional(v.string('a string')),
  scripts: v.optional(v.array(location, 'an array of file URLs or absolute paths'), []),
})
const schema = v.strictObject(
  {
    frontends: v.pipe(
      v.record(v.string(), pageSchema, 'an object'),
      v.check(frontends => Object.keys(frontends).length > 0, 'an object with at least one label'),
    ),
    port: v.optional(integer('a port, from 0 to 65535', 0, 65_535), 0),
    server: v.optional(
      v.custom<Server>(value => isFunction((value as Server | null)?.on), 'a server of node:http or node:https'),
    ),
    authenticate: v.optional(v.custom<NonNullable<WebOptions['authenticate']>>(isFunction, 'a function')),
    origins: v.optional(
      v.array(v.pipe(v.string(), v.check(isOrigin, 'an origin such as "http://localhost:5173"'))),
      [],
    ),
    maxConnections: v.optional(integer(count, 1), 64),
    maxMessageBytes: v.optional(
      integer(
        `a whole number from ${MIN_PAGE_MESSAGE_BYTES} to ${MAX_PAGE_MESSAGE_BYTES}`,
        MIN_PAGE_MESSAGE_BYTES,
        MAX_PAGE_MESSAGE_BYTES,
      ),
      MAX_PAGE_MESSAGE_BYTES,
    ),
    maxHandshakes: v.optional(integer(count, 1), 20),
    heartbeat: v.optional(integer('whole milliseconds, from 50', 50), 15_000),
  } satisfies Record<keyof WebOptions, v.GenericSchema>,
  'an object',
)

type Optional = 'server' | 'authenticate'

export interface PageConfig {
  dir: string | undefined
  csp: string | undefined
  scripts: readonly string[]
  multiple: boolean
  frontend: ConnectionOptions
}

export interface WebConfig extends Required<Omit<WebOptions, Optional | 'frontends'>>, Pick<WebOptions, Optional> {
  frontends: Readonly<Record<string, PageConfig>>
}

/** @throws {BusError} InvalidParams, which names the option */
export function resolveOptions(options: WebOptions): WebConfig {
  const output = checkSecretOptions('serveFrontends', schema, options)
  if (output.server && !output.authenticate) {
    throw invalid('server requires authenticate, which returns the label of a page')
  }
  // valibot omits some reserved labels, which core's own check would refuse.
  const omitted = Object.keys(options.frontends).find(label => !Object.hasOwn(output.frontends, label))
  if (omitted !== undefined) throw invalid(`frontends.${omitted}: its label must be ${FREE_LABEL_RULE}`)
  const frontends: Record<string, PageConfig> = {}
  for (const [label, { dir, csp, scripts, multiple, ...frontend }] of Object.entries(output.frontends)) {
    if (output.server && (dir !== undefined || scripts.length > 0)) {
      const name = dir === undefined ? 'scripts' : 'dir'
      throw invalid(`frontends.${label}.${name}: the server serves the files of its pages itself`)
    }
    // Core's own check names what it does not know.
    frontends[label] = {
      dir: dir && toPath(dir),
      csp,
      scripts: scripts.map(toPath),
      multiple,
      frontend,
    }
  }
  return { ...output, frontends } as WebConfig
}

/** @throws {BusError} InvalidParams, which names the option */
export async function checkDirectories({ frontends }: WebConfig): Promise<void> {
  for (const [label, { dir }] of Object.entries(frontends)) {
    if (dir === undefined || (await stat(dir).catch(() => undefined))?.isDirectory()) continue
    throw invalid(`frontends.${label}.dir: there is no directory ${dir}`)
  }
}

const invalid = (problem: string): BusError => new BusError('InvalidParams', `serveFrontends: ${problem}`)

const toPath = (dir: URL | string): string => fileURLToPath(typeof dir === 'string' ? pathToFileURL(dir) : dir)
