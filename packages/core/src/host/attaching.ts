// Hands links to core. A frontend is there for all others once core says so: what they send on links of their own may reach
// core before what the host has sent it.
import { BusError } from '@sallyport/protocol'
import type { MessagePort } from 'node:worker_threads'
import type { Attachment } from '../control.js'
import type { SupervisedThread } from './supervisor.js'

export class Attaching {
  readonly #core: SupervisedThread
  readonly #waiting = new Map<string, () => void>()

  constructor(core: SupervisedThread) {
    this.#core = core
  }

  /**
   * Resolves once core has the link of this frontend.
   *
   * @throws BusError `Disconnected` where core ends before that
   */
  async attach(attachment: Attachment & { label: string }): Promise<void> {
    const taken = new Promise<void>(resolve => this.#waiting.set(attachment.label, resolve))
    this.#core.post({ type: 'attach', attachment }, portsOf(attachment))
    await Promise.race([taken, this.#core.exited.then(gone)])
  }

  /** Core has said so. */
  attached(label: string): void {
    this.#waiting.get(label)?.()
    this.#waiting.delete(label)
  }
}

function gone(): never {
  throw new BusError('Disconnected', 'core has ended', { data: { delivered: 'no' } })
}

const portsOf = ({ end: { port }, keyPort }: Attachment): MessagePort[] => (keyPort ? [port, keyPort] : [port])
