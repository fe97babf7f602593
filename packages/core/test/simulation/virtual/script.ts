// A script: its client, and the two ends of the link of its VM, are the real ones. The VM between them is left out.
import { FRAME_KIND, getText, type Link, MAX_BODY_BYTES } from '@sallyport/protocol/internal/wire'
import { ScriptClient, type ScriptClientOptions } from '../../../../frontend/src/client/script-client.js'
import { CoreLink } from '../../../../quickjs/src/script-host/core-link.js'
import { createVmLinks } from '../../../../quickjs/src/inside/link.js'

export class Script {
  readonly client: ScriptClient
  readonly #core: CoreLink

  constructor(link: Link, options: Omit<ScriptClientOptions, 'explain' | 'createLink' | 'onUnsent' | 'answered'>) {
    const core = new CoreLink({
      maxBytes: MAX_BODY_BYTES,
      receive({ kind, body }) {
        if (kind === FRAME_KIND.json) links.receive(getText(body))
        else links.receive((body as Uint8Array).slice(), kind)
      },
      room: () => links.setRoom(),
      closed: () => links.closed(),
    })
    const links = createVmLinks(
      ({ kind, body }) => (typeof body === 'string' ? core.send(body) : core.send(Uint8Array.from(body), kind)),
      () => void core.close(),
    )
    this.#core = core
    core.attach(link)
    const ignore = (): void => {}
    this.client = new ScriptClient({
      ...options,
      createLink: links.create,
      explain: ignore,
      onUnsent: ignore,
      answered: ignore,
    })
  }

  reconnect(link: Link): void {
    this.#core.attach(link)
    void this.client.reconnect()
  }
}
