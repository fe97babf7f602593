// Core as a joined process reaches it: for a frontend a session with any instance, for a lane of a connection that is spread the
// session that its spread finds.
import type { FarCore, FarSession } from '@sallyport/core/network'
import type { CodecName } from '@sallyport/protocol'
import type { Keyring } from './keyring.js'
import { openSession, type Home, type OpenedSession } from './opening.js'
import type { Spread } from './spread.js'

export interface Asking {
  label: string
  codec: CodecName
  instance: string | undefined
  signal: AbortSignal
}

export class Far implements FarCore {
  /** By the names of their lanes. */
  readonly #spreads = new Map<string, Spread<OpenedSession>>()
  /** Labels that have had a session: no more than there are credentials. */
  readonly #known = new Set<string>()
  readonly #home: Home
  readonly #keyring: Keyring

  constructor(home: Home, keyring: Keyring) {
    this.#home = home
    this.#keyring = keyring
  }

  /** Sessions under this name are the spread's to find. Gives back what ends that. */
  spread(name: string, spread: Spread<OpenedSession>): () => void {
    this.#spreads.set(name, spread)
    return () => this.#spreads.delete(name)
  }

  async open({ label, codec, signal }: Parameters<FarCore['open']>[0]): Promise<FarSession> {
    const spread = this.#spreads.get(label)
    const session = spread
      ? await spread.session(label, signal)
      : await this.ask({ label, codec, instance: undefined, signal })
    const { link, key } = session
    return { link, key, begin: () => link.begin(), end: () => link.end() }
  }

  async ask({ label, codec, instance, signal }: Asking): Promise<OpenedSession> {
    const credential = await this.#keyring(label)
    const isKnown = this.#known.has(label)
    const session = await openSession(this.#home, { credential, codec, instance, isKnown, signal })
    this.#known.add(label)
    return session
  }
}
