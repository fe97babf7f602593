// The frontends that have not ended, by their names in core, which reports to them.
import type { Frontend } from './frontend.js'

export class OpenFrontends {
  readonly byName: Map<string, Frontend> = new Map<string, Frontend>()

  /** @param name - the frontend's name in core */
  get(name: string): Frontend | undefined {
    return this.byName.get(name)
  }

  /** Core accepts links again after a restart. */
  coreStarted(): void {
    for (const frontend of this.byName.values()) frontend.coreStarted()
  }

  coreStopped(): void {
    for (const frontend of this.byName.values()) frontend.coreStopped()
  }

  /** Core has read a message that violates the protocol. The frontend can have ended long before. */
  protocolError(name: string, link: number, error: Error): void {
    this.get(name)?.violated(link, error)
  }
}
