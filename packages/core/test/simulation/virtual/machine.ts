// Takes the place of a VM of QuickJS: what the inside does there, this thread does. The script host around it is the real one.
import { getText, FRAME_KIND, type ReceivedFrame } from '@sallyport/protocol/internal/wire'
import { ScriptClient } from '../../../../frontend/src/client/script-client.js'
import { createVmLinks, type VmLinks } from '../../../../quickjs/src/inside/link.js'
import type { MachineEvents } from '../../../../quickjs/src/script-host/machine.js'
import type { Frontend } from '../frontend.js'

export class VirtualMachine {
  readonly #frontend: Frontend
  readonly #links: VmLinks
  #events!: MachineEvents
  #client!: ScriptClient
  #isDisposed = false

  static start = async ({ frontend }: { frontend: Frontend }): Promise<VirtualMachine> => new VirtualMachine(frontend)

  private constructor(frontend: Frontend) {
    this.#frontend = frontend
    this.#links = createVmLinks(
      ({ kind, body }) =>
        this.#hasEnded
          ? false
          : this.#events.sendFrame(
              typeof body === 'string' ? body : Uint8Array.from(body),
              kind === FRAME_KIND.json ? undefined : kind,
            ),
      () => this.#post('close'),
    )
  }

  connect(events: MachineEvents): void {
    this.#events = events
  }

  begin(start: string): void {
    this.#client = new ScriptClient({
      ...JSON.parse(start),
      createLink: this.#links.create,
      explain() {},
      onUnsent: () => this.#post('unsent'),
      answered: () => this.#post('answered'),
    })
  }

  deliver(operation: string): void {
    if (this.#hasEnded) return
    if (operation === 'room') this.#links.setRoom()
    else if (operation === 'closed') this.#links.closed()
    else if (operation === 'reconnect') void this.#client.reconnect()
    else if (operation === 'close') void this.#client.close()
  }

  receive({ kind, body }: ReceivedFrame): void {
    if (this.#hasEnded) return
    if (kind === FRAME_KIND.json) this.#links.receive(getText(body))
    else this.#links.receive((body as Uint8Array).slice(), kind)
  }

  exposeBody(): void {
    this.#frontend.begin(this.#client, run => this.#client.exposeRun(args => run(args as never)))
  }

  evaluateModule(): void {
    this.#frontend.begin(this.#client)
    const evaluated = Promise.resolve().then(() => this.#post('loaded'))
    void this.#client
      .load(evaluated)
      .then(() => this.#post('synchronized'))
      .catch(() => {})
  }

  /** Its code waits for what it has called, and for timers. */
  checkIdle(): void {}

  dispose(): void {
    this.#isDisposed = true
  }

  /** Also with its thread. */
  get #hasEnded(): boolean {
    return this.#isDisposed || this.#frontend.place.dead
  }

  toLimitOfError(): undefined {}

  #post(operation: string): void {
    if (!this.#hasEnded) this.#events.receive(operation, 'null', undefined)
  }
}
