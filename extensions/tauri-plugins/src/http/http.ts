// Tauri's http plugin: requests of frontends, limited by the URL patterns of their permissions, and to public addresses.
import { type CommandContext, type Plugin, type Resources, transfer } from '@sallyport/core'
import { checkOptions, FUNCTION, isTexts, STRINGS, type OptionChecks } from '@sallyport/paths/internal'
import { AddressFilter, type Lookup, parseForeignUrl } from '@sallyport/paths/internal/addresses'
import { type Args, createPlugin, DELAY, getResource, isChannel, isInteger, POSITIVE } from '../shared/plugin.js'
import { getUrlScope, parseUrlPattern, UrlScope } from './url-scope.js'
import { ResponseBody } from './bodies.js'
import { parseClientConfig } from './client-config.js'
import { LabelSlots } from '../shared/slots.js'
import { FrontendRequest, FrontendRequests, getRequestBytes, type Network } from './requests.js'

/** Options of `http`. */
export interface HttpOptions {
  /**
   * Names of hosts, IP addresses and subnets of private networks that requests can reach, as in `['db.internal', '10.1.0.0/16']`. Others are
   * reached only if a URL pattern names the IP address or `localhost` without wildcards.
   */
  privateNetworks?: readonly string[]
  /**
   * Proxies that frontends can choose, as in `['http://proxy.example.com:3128']`. A proxy resolves names itself, so that it decides about
   * private addresses. @default none
   */
  proxies?: readonly string[]
  /** URL patterns of hosts whose certificates can be invalid, if the frontend asks for it. @default none */
  danger?: readonly string[]
  /** Limits of requests and responses. */
  limits?: {
    /** Connections of one frontend at a time. Further requests wait. @default 64 */
    connections?: number
    /** Bytes of the body of a response. @default 268435456 */
    responseBytes?: number
    /** Milliseconds until a connection is open. @default 30000 */
    connectMs?: number
    /** Milliseconds from then until the headers of the response. @default 60000 */
    headersMs?: number
    /** Milliseconds that a response stays open without a read, and a read waits for data. @default 60000 */
    idleMs?: number
  }
  /** @internal Resolves names. @default `lookup` of node:dns */
  lookup?: Lookup
}

const DEFAULT_LIMITS: Network['limits'] = {
  connections: 64,
  responseBytes: 256 * 1024 * 1024,
  connectMs: 30_000,
  headersMs: 60_000,
  idleMs: 60_000,
}

const MAX_LOOKUPS = 2

const isProxy = (url: string): boolean => parseForeignUrl(url)?.protocol === 'http:'
const OPTIONS: OptionChecks<HttpOptions> = {
  privateNetworks: STRINGS,
  proxies: [value => isTexts(value) && value.every(isProxy), 'http: URLs, as in "http://proxy.example.com:3128"'],
  danger: STRINGS,
  limits: undefined,
  lookup: FUNCTION,
}
const LIMITS: OptionChecks<Network['limits']> = {
  ...{ connections: POSITIVE, responseBytes: POSITIVE },
  ...{ connectMs: DELAY, headersMs: DELAY, idleMs: DELAY },
}

/**
 * Returns Tauri's http plugin, for `@tauri-apps/plugin-http`. Each request and each redirect needs a URL pattern in the scope of
 * `http:default` or `http:allow-fetch`. Private networks are closed, cookies are not kept, and nothing is shared between frontends.
 *
 * @throws {BusError} InvalidParams for an invalid option
 * @example defineCore({ plugins: [http({ privateNetworks: ['db.internal'] })] })
 */
export function http(options: HttpOptions = {}): Plugin<'http'> {
  const network = createNetwork(options)
  const frontends = new WeakMap<Resources, FrontendRequests>()
  return createPlugin('http', {
    checkScope: value => void parseUrlPattern(value),
    commands: {
      fetch({ clientConfig }, { label, resources, scope, log }) {
        const config = parseClientConfig(clientConfig, network.policy)
        const requests = frontends.get(resources) ?? new FrontendRequests(label, network.limits.connections)
        frontends.set(resources, requests)
        requests.checkSize(getRequestBytes(config))
        const request = new FrontendRequest(config, getUrlScope(scope), network, requests, log)
        requests.open.add(request)
        return request.openIn(resources)
      },
      fetch_send: (args, ctx) => getResource(args, ctx, FrontendRequest).send(ctx.resources, ctx.signal),
      fetch_cancel: (args, ctx) => find(args, ctx, FrontendRequest)?.cancel(),
      async fetch_read_body(args, ctx) {
        const body = getResource(args, ctx, ResponseBody)
        if (isChannel<Uint8Array>(args['streamChannel'])) return body.sendTo(args['streamChannel'])
        return transfer(await body.read(ctx.signal))
      },
      fetch_cancel_body: (args, ctx) => find(args, ctx, ResponseBody)?.close(),
    },
  })
}

/**
 * Returns a request or body to cancel, or `undefined` if it has ended. Guests before 2.6 drop the error that Tauri returns for it, and an
 * unhandled rejection would end the frontend.
 */
const find = <T extends object>(
  args: Args,
  ctx: Pick<CommandContext, 'resources'>,
  type: abstract new (...args: never[]) => T,
): T | undefined =>
  isInteger(args['rid'], 0) && !ctx.resources.has(args['rid']) ? undefined : getResource(args, ctx, type)

function createNetwork(options: HttpOptions): Network {
  const { privateNetworks, proxies, danger, limits = {}, lookup } = checkOptions('http()', options, OPTIONS)
  const chosen = Object.entries(checkOptions('http()', limits, LIMITS, 'limits.')).filter(
    ([, limit]) => limit !== undefined,
  )
  const policy = {
    proxies: new Set(proxies?.map(url => parseForeignUrl(url)!.origin)),
    danger: new UrlScope(danger ?? []),
  }
  return {
    addresses: new AddressFilter(privateNetworks, lookup),
    policy,
    limits: { ...DEFAULT_LIMITS, ...Object.fromEntries(chosen) },
    lookups: new LabelSlots(MAX_LOOKUPS),
  }
}
