// Options of `openMcp`, and events of an opened server.
import type { PathLike } from 'node:fs'
import { isIP } from 'node:net'
import type { StreamableHTTPClientTransportOptions } from '@modelcontextprotocol/client'
import type { SupervisionOptions } from '@sallyport/core'
import type { DeniedHost } from '@sallyport/core/internal'
import type { ProgramOptions } from '@sallyport/core/launchers'
import { parseHostPattern } from '@sallyport/process/internal/launchers'
import {
  checkOptions,
  FUNCTION,
  type OptionCheck,
  type OptionChecks,
  STRING,
  STRINGS,
} from '@sallyport/protocol/internal/errors'
import { isCount, isTexts, parseForeignUrl, queueMicrotask } from '@sallyport/protocol/internal/util'
import { BYTES, checkValue, MILLISECONDS } from '../shared/checks.js'

/** The program of a server: `command` and `args`, as MCP clients configure it. */
export interface McpCommand {
  /** The name of a program in `PATH`, or an absolute path. */
  readonly command: string
  /** Its arguments. */
  readonly args?: readonly string[]
}

/** A server over HTTP. */
export interface McpRemote {
  /** Its address: `https:`, or `http:` with an IP address or `localhost`. */
  readonly url: string | URL
  /**
   * Authorizes the host: a provider of `@modelcontextprotocol/client`, such as `ClientCredentialsProvider`, or `{ token: async () => text }`. No
   * frontend gets what it keeps. Pass `expectedIssuer` to a provider: without it, the server decides who gets the secret, and can name itself.
   */
  readonly authProvider?: StreamableHTTPClientTransportOptions['authProvider']
}

/** The wall of a server, its tools, and its restarts. One over HTTP has no wall: `net` lists hosts that it needs beside its own, such as that of its authorization. */
export interface OpenMcpOptions extends Omit<ProgramOptions, 'command' | 'args' | 'onDenied'> {
  /** Limits the memory of the server and the programs that it starts, in MiB. Linux only. @default 1024 */
  readonly memory?: number
  /** Limits its processes and threads. Linux only. @default 128 */
  readonly pids?: number
  /** Gives it a directory of its own for `HOME` and caches. @default `sallyport/mcp/<name>` in the cache directory of the host's user */
  readonly home?: string
  /** Names the tools that become commands, with `*` for any text. @default all */
  readonly tools?: readonly string[]
  /**
   * Keeps the tools that the host has accepted in a file (`mcp.lock.json`). The first start of a server writes all of its tools there. Without a
   * file, they are remembered until `close`.
   */
  readonly pin?: PathLike
  /** Limits a call without a sign of progress, in milliseconds. @default 60000 */
  readonly timeout?: number
  /** Limits the start, until the server has listed its tools, in milliseconds. @default 60000 */
  readonly startTimeout?: number
  /** Limits the bytes of one message of the server. A longer one ends it. @default 4 MiB */
  readonly maxMessage?: number
  /** Decides when a server that has ended restarts. @default as a worker of a bus does: 3 times in 5 s, with delays that double */
  readonly restarts?: Pick<SupervisionOptions, 'intensity' | 'period' | 'delay'>
  /** Gets what the server writes to its standard error. @default ignored */
  readonly onStderr?: (text: string) => void
}

/** Of a server over HTTP. */
const REMOTE_CHECKS: OptionChecks<RemoteOptions> = {
  tools: STRINGS,
  pin: [
    value => (typeof value === 'string' || value instanceof URL || value instanceof Buffer) && value.toString() !== '',
    'a path or a URL',
  ],
  timeout: MILLISECONDS,
  startTimeout: MILLISECONDS,
  maxMessage: BYTES,
  restarts: undefined,
  net: undefined,
}

type RemoteOptions = Pick<
  OpenMcpOptions,
  'tools' | 'pin' | 'timeout' | 'startTimeout' | 'maxMessage' | 'restarts' | 'net'
>

const DELAY: OptionCheck = [value => isCount(value), 'whole milliseconds, from 0']
const RESTART_CHECKS: OptionChecks<NonNullable<OpenMcpOptions['restarts']>> = {
  intensity: [value => isCount(value), 'a whole number, from 0'],
  period: MILLISECONDS,
  delay: undefined,
}

const isPlace = (value: unknown): boolean =>
  typeof value === 'string' || (value instanceof URL && value.protocol === 'file:')

/** Of a program. `startProgram` checks its own, when the lock file was compared with `write` and `home`. */
const CHECKS: OptionChecks<OpenMcpOptions> = {
  ...REMOTE_CHECKS,
  onStderr: FUNCTION,
  write: [value => Array.isArray(value) && value.every(isPlace), 'an array of paths or file URLs'],
  home: STRING,
  ...{ wall: undefined, read: undefined, secrets: undefined, env: undefined },
  ...{ cwd: undefined, memory: undefined, pids: undefined, tmp: undefined },
}

export const isRemote = (server: McpCommand | McpRemote): server is McpRemote => Object.hasOwn(Object(server), 'url')

/** @throws {BusError} InvalidParams for an unknown option, or an invalid value of an option of the server */
export function checkMcpOptions(server: McpCommand | McpRemote, options: OpenMcpOptions): void {
  if (isRemote(server)) checkOptions('openMcp: the server', server, { url: undefined, authProvider: undefined })
  else checkOptions('openMcp: the program', server, { command: undefined, args: undefined })
  if (isRemote(server)) checkOptions<RemoteOptions>('openMcp', options, REMOTE_CHECKS)
  else checkOptions('openMcp', options, CHECKS)
  const { restarts = {} } = options
  const { delay = {} } = checkOptions('openMcp', restarts, RESTART_CHECKS, 'restarts.')
  checkOptions('openMcp', delay, { min: DELAY, max: DELAY }, 'restarts.delay.')
}

/** Encrypted, or of a machine that the user names by its number. */
function isSafeUrl({ protocol, hostname }: URL): boolean {
  const host = hostname.replaceAll(/[[\]]/g, '')
  return protocol === 'https:' || (protocol === 'http:' && (isIP(host) > 0 || host === 'localhost'))
}

/** Returns the address of a server, and the hosts that it reaches. @throws {BusError} InvalidParams */
export function readRemote(
  { url: given, authProvider }: McpRemote,
  net: OpenMcpOptions['net'] = [],
): { readonly url: URL; readonly hosts: readonly string[] } {
  const url = parseForeignUrl(String(given))
  const isUrl = url !== undefined && isSafeUrl(url) && url.username === '' && url.password === ''
  checkValue('openMcp: url', isUrl, 'an https: address without a password; http: for IP addresses and localhost alone')
  const isProvider =
    authProvider === undefined ||
    [Object(authProvider).token, Object(authProvider).tokens].some(each => typeof each === 'function')
  checkValue(
    'openMcp: authProvider',
    isProvider,
    'a provider of @modelcontextprotocol/client, or { token: async () => text }',
  )
  const isList = isTexts(net) && net.every(each => parseHostPattern(each) !== undefined)
  checkValue('openMcp: net', isList, 'an array of hosts, such as ["auth.example.com"]')
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return { url, hosts: [`${url.hostname}:${port}`, ...(net as readonly string[])] }
}

/** A tool that is not as it was accepted, or that was accepted and cannot be a command. */
export interface ToolChange {
  /** Name of the tool. */
  readonly tool: string
  /** `added` and `changed` tools are refused until `accept`; `removed` ones do not exist any more; `unserved` ones are no commands. */
  readonly change: 'added' | 'changed' | 'removed' | 'unserved'
  /** Why a tool is `unserved`: its name, its schema, or another tool with the same permission. */
  readonly reason?: string
  /** What a model was to read of it when it was accepted, as JSON without hidden characters. */
  readonly accepted?: string
  /** What a model would read of it once this is accepted. */
  readonly offered?: string
}

/** Events of `openMcp`. */
export interface McpServerEvents {
  /** Tools are not as they were accepted, or cannot be commands. */
  changed: { readonly changes: readonly ToolChange[] }
  /** The server asked for a host that `net` does not list, or for a private address. At most ten times a second. */
  denied: DeniedHost
  /** The server has ended, and restarts in `delay` milliseconds. */
  restart: { readonly reason: string; readonly delay: number }
  /** The server has ended, and does not restart. Its calls reject. */
  failed: { readonly reason: string }
}

const EVENTS: OptionChecks<McpServerEvents> = {
  ...{ changed: FUNCTION, denied: FUNCTION, restart: FUNCTION, failed: FUNCTION },
}
type Listener<Name extends keyof McpServerEvents> = (event: McpServerEvents[Name]) => void

/** Calls listeners, each in a tick of its own: an error of one reaches no other. */
export class ServerEvents {
  readonly #listeners: { [Name in keyof McpServerEvents]: Set<Listener<Name>> } = {
    ...{ changed: new Set(), denied: new Set(), restart: new Set(), failed: new Set() },
  }

  /** @throws {BusError} InvalidParams for an unknown event */
  on<Name extends keyof McpServerEvents>(name: Name, listener: Listener<Name>): () => void {
    checkOptions<object>('openMcp: on', { [name]: listener }, EVENTS)
    const listeners: Set<Listener<Name>> = this.#listeners[name]
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  emit<Name extends keyof McpServerEvents>(name: Name, event: McpServerEvents[Name]): void {
    for (const listener of this.#listeners[name]) queueMicrotask(() => listener(event))
  }
}
