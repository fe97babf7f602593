// Tauri's http plugin: requests of frontends, limited by the URL patterns of their permissions, and to public addresses.
import { type Channel, type CommandContext, type Plugin, type Resources, transfer } from '@sallyport/core'
import { AddressFilter, type Lookup } from '@sallyport/paths/internal/addresses'
import { type Args, checkLimits, createPlugin, getResource, isChannel, isInteger } from '../shared/plugin.js'
import { getUrlScope, parseUrlPattern, UrlScope } from './url-scope.js'
import { ResponseBody } from './bodies.js'
import { parseClientConfig } from './client-config.js'
import { LabelSlots } from '../shared/slots.js'
import { FrontendRequest, FrontendRequests, getRequestBytes, type HttpLimits, type Network } from './requests.js'

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
  /** Asks for compressed responses and decompresses them. @default false */
  decompress?: boolean
  /**
   * Returns the body of a response as a whole to `fetch_read_body`: @tauri-apps/plugin-http 2.0 to 2.3 needs it, and 2.5.5 and later cannot
   * read such a body. Both send the same arguments. @default false
   */
  wholeBodies?: boolean
  /** Limits of requests and responses. */
  limits?: {
    /** Connections of one frontend at a time. Further requests wait. @default 64 */
    connections?: number
    /** Bytes of the body of a response, after decompression. @default 268435456 */
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

const DEFAULT_LIMITS: HttpLimits = {
  connections: 64,
  responseBytes: 256 * 1024 * 1024,
  connectMs: 30_000,
  headersMs: 60_000,
  idleMs: 60_000,
}

const MAX_LOOKUPS = 2

/**
 * Returns Tauri's http plugin, for `@tauri-apps/plugin-http`. Each request and each redirect needs a URL pattern in the scope of
 * `http:default` or `http:allow-fetch`. Private networks are closed, cookies are not kept, and nothing is shared between frontends.
 *
 * @throws {TypeError} for an invalid option
 * @example defineCore({ plugins: [http({ privateNetworks: ['db.internal'] })] })
 */
export function http(options: HttpOptions = {}): Plugin<'http'> {
  const { wholeBodies = false } = options
  const network = createNetwork(options)
  const frontends = new WeakMap<Resources, FrontendRequests>()
  const getRequests = (resources: Resources, label: string): FrontendRequests => {
    const requests = frontends.get(resources) ?? new FrontendRequests(label, network.limits.connections)
    frontends.set(resources, requests)
    return requests
  }
  /** Where @tauri-apps/plugin-http 2.4.0 expects the bodies of its requests. */
  const channels = new WeakMap<FrontendRequest, Channel<Uint8Array>>()
  return createPlugin('http', {
    checkScope: value => void parseUrlPattern(value),
    commands: {
      fetch({ clientConfig, streamChannel }, { label, resources, scope, log }) {
        const config = parseClientConfig(clientConfig, network.policy)
        const requests = getRequests(resources, label)
        requests.checkSize(getRequestBytes(config))
        const request = new FrontendRequest(config, getUrlScope(scope), network, requests, log)
        requests.add(request)
        if (isChannel<Uint8Array>(streamChannel)) channels.set(request, streamChannel)
        return request.openIn(resources)
      },
      async fetch_send(args, ctx) {
        const request = getResource(args, ctx, FrontendRequest)
        const response = await request.send(ctx.resources, ctx.signal)
        const channel = channels.get(request)
        // This guest has no way to learn of an error.
        if (channel && response.rid !== 0)
          void ctx.resources
            .get(response.rid, ResponseBody)
            .sendTo(channel, false)
            .catch(() => {})
        return response
      },
      fetch_cancel: (args, ctx) => find(args, ctx, FrontendRequest)?.cancel(),
      async fetch_read_body(args, ctx) {
        const { label, resources, signal } = ctx
        if (wholeBodies && args['rid'] === 0) return new Uint8Array()
        const body = getResource(args, ctx, ResponseBody)
        if (isChannel<Uint8Array>(args['streamChannel'])) return body.sendTo(args['streamChannel'], true)
        if (!wholeBodies) return transfer(await body.read(signal))
        return transfer(await getRequests(resources, label).readWhole(body, network.limits.responseBytes, signal))
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
  const { privateNetworks, proxies, danger, decompress = false, limits = {}, lookup, wholeBodies, ...unknown } = options
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw new TypeError(`http(): unknown option "${name}"`)
  for (const [option, list] of Object.entries({ privateNetworks, proxies, danger })) {
    if (list !== undefined && !(Array.isArray(list) && list.every(each => typeof each === 'string')))
      throw new TypeError(`http(): ${option} must be an array of strings`)
  }
  if (wholeBodies !== undefined && typeof wholeBodies !== 'boolean')
    throw new TypeError('http(): wholeBodies must be true or false')
  const unknownLimit = Object.keys(limits).find(limit => !(limit in DEFAULT_LIMITS))
  if (unknownLimit !== undefined) throw new TypeError(`http(): unknown limit "${unknownLimit}"`)
  checkLimits('http', limits, 'limits.')
  const policy = { proxies: new Set(proxies?.map(toProxyOrigin)), danger: new UrlScope(danger ?? []), decompress }
  return {
    addresses: new AddressFilter(privateNetworks, lookup),
    policy,
    limits: { ...DEFAULT_LIMITS, ...limits },
    lookups: new LabelSlots(MAX_LOOKUPS),
  }
}

function toProxyOrigin(url: string): string {
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:')
    throw new TypeError(`http(): proxies must be http: URLs, as in "http://proxy.example.com:3128"`)
  return new URL(url).origin
}
