// Tauri's http plugin: requests of frontends, limited by the URL patterns of their permissions, and to public addresses.
import { type CommandContext, plugin, type Plugin, type Resources, transfer } from '@sallyport/core'
import { getUrlScope, parseUrlPattern, UrlScope } from '../scope/urls.js'
import { AddressFilter, type Lookup } from './addresses.js'
import { ResponseBody } from './bodies.js'
import { parseClientConfig } from './client-config.js'
import { type FetchResponse, FrontendRequest, getRequestBytes, type HttpLimits, type Network } from './requests.js'
import { LabelSlots, Slots } from '../io/slots.js'

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

/** Requests of one frontend that are not yet answered. */
const MAX_REQUESTS = 1024
/** Bytes of their bodies and URLs. */
const MAX_REQUEST_BYTES = 64 * 1024 * 1024

/** Resolutions of names of one frontend at a time. */
const MAX_LOOKUPS = 2

/** The requests of one frontend. */
class FrontendRequests {
  readonly slots: Slots
  readonly #open = new Set<FrontendRequest>()

  constructor(connections: number) {
    this.slots = new Slots(connections)
  }

  /** @throws {string} if the frontend has too many requests */
  checkSize(bytes: number): void {
    let total = bytes
    for (const { size } of this.#open) total += size
    if (this.#open.size < MAX_REQUESTS && total <= MAX_REQUEST_BYTES) return
    throw `request refused: ${MAX_REQUESTS} requests, or ${MAX_REQUEST_BYTES} bytes of them, are in flight. Wait for earlier responses.`
  }

  add(request: FrontendRequest): void {
    this.#open.add(request)
  }

  delete(request: FrontendRequest): void {
    this.#open.delete(request)
  }
}

/**
 * Returns Tauri's http plugin, for `@tauri-apps/plugin-http`. Each request and each redirect needs a URL pattern in the scope of
 * `http:default` or `http:allow-fetch`. Private networks are closed, cookies are not kept, and nothing is shared between frontends.
 *
 * @throws {TypeError} for an invalid option
 * @example defineCore({ plugins: [http({ privateNetworks: ['db.internal'] })] })
 */
export function http(options: HttpOptions = {}): Plugin<'http'> {
  const network = createNetwork(options)
  const frontends = new WeakMap<Resources, FrontendRequests>()
  const getRequests = (resources: Resources): FrontendRequests => {
    const requests = frontends.get(resources) ?? new FrontendRequests(network.limits.connections)
    frontends.set(resources, requests)
    return requests
  }
  return plugin('http', {
    permissions: [
      {
        default: {
          permissions: ['fetch', 'fetch-cancel', 'fetch-cancel-body', 'fetch-read-body', 'fetch-send'].map(
            name => `allow-${name}`,
          ),
        },
      },
    ],
    checkScope: value => void parseUrlPattern(value),
    commands: {
      fetch({ clientConfig }: Record<string, unknown>, { label, resources, scope, log }: CommandContext): number {
        const config = parseClientConfig(clientConfig, network.policy)
        const requests = getRequests(resources)
        requests.checkSize(getRequestBytes(config))
        const request: FrontendRequest = new FrontendRequest(config, getUrlScope(scope), network, {
          slots: requests.slots,
          label,
          log,
          onClose: () => requests.delete(request),
        })
        requests.add(request)
        return request.openIn(resources)
      },
      fetch_send: ({ rid }: Record<string, unknown>, { resources, signal }: CommandContext): Promise<FetchResponse> =>
        resources.get(toRid(rid), FrontendRequest).send(resources, signal),
      fetch_cancel({ rid }: Record<string, unknown>, { resources }: CommandContext): void {
        resources.get(toRid(rid), FrontendRequest).cancel()
      },
      fetch_read_body: async (
        { rid }: Record<string, unknown>,
        { resources, signal }: CommandContext,
      ): Promise<Uint8Array> => transfer(await resources.get(toRid(rid), ResponseBody).read(signal)),
      fetch_cancel_body({ rid }: Record<string, unknown>, { resources }: CommandContext): void {
        resources.get(toRid(rid), ResponseBody).close()
      },
    },
  }) as Plugin<'http'>
}

/** Returns -1, which no resource has, for another type. */
const toRid = (rid: unknown): number => (typeof rid === 'number' ? rid : -1)

function createNetwork(options: HttpOptions): Network {
  const { privateNetworks, proxies, danger, decompress = false, limits = {}, lookup, ...unknown } = options
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw new TypeError(`http(): unknown option "${name}"`)
  for (const [option, list] of Object.entries({ privateNetworks, proxies, danger })) {
    if (list !== undefined && !(Array.isArray(list) && list.every(each => typeof each === 'string')))
      throw new TypeError(`http(): ${option} must be an array of strings`)
  }
  for (const [limit, value] of Object.entries(limits)) {
    if (!(limit in DEFAULT_LIMITS)) throw new TypeError(`http(): unknown limit "${limit}"`)
    if (!Number.isSafeInteger(value) || value < 1 || (limit.endsWith('Ms') && value > 2 ** 31 - 1))
      throw new TypeError(`http(): limits.${limit} must be a positive integer`)
  }
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
    throw new TypeError(`http(): proxies must be http: URLs, as in "http://proxy.example.com:3128": got "${url}"`)
  return new URL(url).origin
}
