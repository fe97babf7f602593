// The proxy of a program in the wall: it listens in the program's own network, and the host accepts its connections.
//
// A process in the wall opens the listening socket, passes it to the host, and becomes the program. So no process stays for it, and the
// program has no socket of the host's network.
import { type ChildProcess } from 'node:child_process'
import { Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { BusError } from '@sallyport/protocol/internal/errors'
import { Throttle, toPlainText } from '@sallyport/protocol/internal/util'
import { getNodeEnvironment, getNodeProgram } from '../launchers/node-program.js'
import type { BrokerDenial } from '../network/broker.js'
import type { Secret } from '../network/secrets.js'

/** Descriptor of the channel over which the socket is passed. The program does not inherit it. */
const CHANNEL_DESCRIPTOR = 5
/** In a network that has no other program's ports. */
const PROXY_PORT = 3128
const ORIGIN = `http://127.0.0.1:${PROXY_PORT}`
const DENIALS_PER_SECOND = 10
/** The broker runs in the thread of the host. */
const REQUESTS_PER_SECOND = 500

/**
 * It is ended by the host's answer, so the host has the socket before the program starts. The kernel can refuse to pass a socket, of which Node tells
 * neither end. So a line follows it on the channel, which arrives either way.
 */
const LISTEN =
  `const send = () => process.send('', server, () => require('node:fs').writeSync(${CHANNEL_DESCRIPTOR}, '""\\n')); ` +
  `const server = require('node:net').createServer().listen(${PROXY_PORT}, '127.0.0.1', send); ` +
  `process.on('message', () => process.exit()).on('disconnect', () => process.exit(1))`
const getScript = (): string =>
  `/usr/bin/env -i ${Object.entries(getNodeEnvironment())
    .map(pair => pair.join('='))
    .join(' ')} NODE_CHANNEL_FD=${CHANNEL_DESCRIPTOR} "$0" -e "$1" </dev/null >/dev/null && ` +
  `exec ${CHANNEL_DESCRIPTOR}>&- && shift && exec "$@"`

export const getProxiedCommand = (command: readonly string[]): readonly string[] => [
  ...['/bin/sh', '-c', getScript(), getNodeProgram(), LISTEN],
  ...command,
]

/** Names of this machine, for which programs ask no proxy, unless the list has them. */
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1']

export function getProxyVariables(hosts: readonly string[]): Record<string, string> {
  const local = LOCAL_NAMES.filter(name => !hosts.some(host => host.includes(name))).join(',')
  const names = { HTTP_PROXY: ORIGIN, HTTPS_PROXY: ORIGIN, NO_PROXY: local }
  const lower = Object.entries(names).map(([name, value]) => [name.toLowerCase(), value])
  return { ...names, ...Object.fromEntries(lower), NODE_USE_ENV_PROXY: '1' }
}

export interface ProgramProxyOptions {
  readonly hosts: readonly string[]
  readonly secrets: readonly Secret[]
  readonly onDenied: ((denial: BrokerDenial) => void) | undefined
}

/**
 * Serves the proxy of a program that was started with `getProxiedCommand`, until the program ends.
 *
 * @throws {BusError} LoadFailed if the program has ended before
 */
export async function serveProxy(
  child: ChildProcess,
  { hosts, secrets, onDenied }: ProgramProxyOptions,
): Promise<void> {
  const ended = new AbortController()
  child.once('exit', () => ended.abort())
  const [{ Broker }, { createProxy }] = await Promise.all([
    import('../network/broker.js'),
    import('../network/proxy.js'),
  ])
  const listener = await receiveSocket(child, ended.signal)
  if (!listener) {
    const failure = ended.signal.aborted
      ? 'its process has ended'
      : 'the system did not pass its socket on. Raise the limit of open files'
    // Node tries again to pass the socket, and nobody would close it here.
    if (!ended.signal.aborted) child.disconnect()
    const why = toPlainText(await text(child.stderr!))
      .trim()
      .slice(0, 500)
    throw new BusError('LoadFailed', `startProgram: the proxy did not start: ${why || failure}`)
  }
  const denied = new Throttle<BrokerDenial>(denial => onDenied?.(denial), DENIALS_PER_SECOND)
  const broker = new Broker({ hosts, secrets }, denial => denied.add(denial))
  const proxy = createProxy(broker, { origin: ORIGIN, requestsPerSecond: REQUESTS_PER_SECOND })
  listener.on('connection', socket => proxy.accept(socket))
  const close = (): void => {
    denied.flush()
    proxy.close()
    listener.close()
  }
  if (ended.signal.aborted) return close()
  ended.signal.addEventListener('abort', close)
  child.send('', () => {
    // If it has ended meanwhile, the program's exit says so.
  })
}

/** Returns `undefined` if the system did not pass it on, or the process has ended. */
const receiveSocket = (child: ChildProcess, ended: AbortSignal): Promise<Server | undefined> =>
  new Promise(resolve => {
    if (ended.aborted) return resolve(undefined)
    ended.addEventListener('abort', () => resolve(undefined))
    child.on('message', (_line, socket) => {
      if (socket instanceof Server) resolve(socket)
      // Node takes some ticks for a socket that has come before this line.
      else setImmediate(() => resolve(undefined))
    })
  })
