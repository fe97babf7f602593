// Hands links to core. A frontend is there for all others once core says so: what they send on links of their own may reach
// core before what the host has sent it.
import { BusError } from '@sallyport/protocol'
import type { MessagePort } from 'node:worker_threads'
import type { Attachment } from '../control.js'
import type { SupervisedThread } from './supervisor.js'

interface Waiting {
  taken(): void
  gone(): void
}

export class Attaching {
  readonly #core: SupervisedThread
  readonly #waiting = new Map<string, Waiting>()
  #over = false

  constructor(core: SupervisedThread) {
    this.#core = core
    void core.exited.then(() => {
      this.#over = true
      for (const { gone } of this.#waiting.values()) gone()
      this.#waiting.clear()
    })
  }

  /**
   * Resolves once core has the link of this frontend.
   *
   * @throws BusError `Disconnected` where core ends before that
   */
  attach(attachment: Attachment & { label: string }): Promise<void> {
    return new Promise((taken, reject) => {
      const gone = (): void => reject(new BusError('Disconnected', 'core has ended', { data: { delivered: 'no' } }))
      if (this.#over) return gone()
      this.#waiting.set(attachment.label, { taken, gone })
      this.#core.post({ type: 'attach', attachment }, portsOf(attachment))
    })
  }

  /** Core has said so. */
  attached(label: string): void {
    this.#waiting.get(label)?.taken()
    this.#waiting.delete(label)
  }
}

const portsOf = ({ end: { port }, keyPort }: Attachment): MessagePort[] => (keyPort ? [port, keyPort] : [port])
