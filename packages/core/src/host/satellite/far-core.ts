// Core, as a process without one reaches it: sessions are opened, and nothing is known of what carries them.
import type { CodecName, Link, SessionKey } from '@sallyport/protocol'

export interface FarCore {
  /**
   * Opens a session for the frontend of this label, or for the lane of this name. Whoever is let in has been proved by then.
   *
   * @param options.signal nobody waits for it any more
   * @throws BusError `Disconnected` where nobody answers: it is tried again, with growing delays. Any other is for good.
   */
  open(options: { label: string; codec: CodecName; signal: AbortSignal }): Promise<FarSession>
}

export interface FarSession {
  readonly link: Link
  /** In the isolation pattern the gate seals with it; it is wiped here once the gate has it. */
  readonly key: SessionKey
  /** The frontend's code begins. */
  begin(): void
  /** The frontend is gone, and not only this link of it. The link is closed besides. */
  end(): void
}
