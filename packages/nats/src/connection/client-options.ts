// How the NATS client is told to connect: plain data becomes its authenticators, and it never gives up.
import {
  credsAuthenticator,
  nkeyAuthenticator,
  type Authenticator,
  type NodeConnectionOptions,
  type TlsOptions,
} from '@nats-io/transport-node'
import { BusError, describeThrown } from '@sallyport/protocol'
import { readFile } from 'node:fs/promises'
import { serversOf, type NatsOptions } from '../nats-options.js'

/** Milliseconds until the first attempt that has failed is made again, and at most. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 2000

/** @throws BusError `InvalidParams` where the file of credentials or the seed can't be used */
export async function toClientOptions(where: string, options: NatsOptions): Promise<NodeConnectionOptions> {
  const { user, pass, token, name, tls } = options
  // The client itself takes no notice of `tls://`.
  const wantsTls = tls ?? (serversOf(options).some(server => server.startsWith('tls://')) ? {} : undefined)
  const authenticator = await authenticatorOf(where, options)
  return {
    servers: serversOf(options),
    // What is published is for others.
    noEcho: true,
    ...(user !== undefined && { user, pass: pass ?? '' }),
    ...(token !== undefined && { token }),
    ...(name !== undefined && { name }),
    ...(wantsTls && { tls: wantsTls as TlsOptions }),
    ...(authenticator && { authenticator }),
  }
}

async function authenticatorOf(
  where: string,
  { credsFile, nkeySeed }: NatsOptions,
): Promise<Authenticator | undefined> {
  let authenticator: Authenticator
  try {
    if (credsFile !== undefined) authenticator = credsAuthenticator(await readFile(credsFile))
    else if (nkeySeed !== undefined) authenticator = nkeyAuthenticator(Buffer.from(nkeySeed))
    else return undefined
    // Within the client a mistake would show as a connection that was lost.
    authenticator('nonce')
    return authenticator
  } catch (error) {
    const what = credsFile === undefined ? 'nats.nkeySeed is no seed' : `nats.credsFile ${credsFile} can't be used`
    // A seed is never in such a text.
    throw new BusError('InvalidParams', `${where}: ${what}: ${describeThrown(error)}`)
  }
}

export interface Delays {
  options: NodeConnectionOptions
  /** An attempt is made. */
  tried(): void
  reset(): void
}

/** Attempts without end, with growing delays, and not all clients at once. */
export function reconnectDelays(): Delays {
  let longest = FIRST_DELAY
  let delay = FIRST_DELAY
  const reset = (): void => void (delay = longest = FIRST_DELAY)
  return {
    options: {
      maxReconnectAttempts: -1,
      // A server that refuses may have an old configuration.
      ignoreAuthErrorAbort: true,
      // Asked more than once for each attempt.
      reconnectDelayHandler: () => delay,
    },
    tried() {
      longest = Math.min(LONGEST_DELAY, longest * 1.5)
      delay = Math.round(longest * (0.5 + Math.random() / 2))
    },
    reset,
  }
}
