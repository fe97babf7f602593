// The pages of one label: which of them has the label, which get labels of their own, and which are refused.
import type { ExternalCode, ExternalFrontend } from '@sallyport/core/internal'
import { silence } from '@sallyport/protocol/internal/contract'
import { createDeferred } from '@sallyport/protocol/internal/util'
import { MAX_UNCLAIMED_BYTES } from '@sallyport/protocol/internal/wire'
import { CLOSE_IN_USE, CLOSE_UNAVAILABLE } from './contract/greeting.js'
import { RateLimit } from './http/request-policy.js'
import { IncompleteMessages } from './web-socket-link.js'
import type { WebConfig } from './options.js'
import type { PageSocket } from './page-socket.js'

/** Time for a page to show that it is still there when another one wants its label. */
const ANSWER_TIMEOUT_MS = 2000
/** Time for a page that has a label of its own to come back. */
const RETURN_TIMEOUT_MS = 30_000

interface Slot {
  readonly number: number
  frontend: Promise<ExternalFrontend>
  tab: string | undefined
  page: PageSocket | undefined
  endWait?: () => void
}

export interface PageLabelDeps {
  readonly label: string
  readonly multiple: boolean
  /** The frontend of the label, which exists without a page too. */
  readonly frontend: ExternalFrontend
  open(label: string): Promise<ExternalFrontend>
  /** True for a label that any frontend of the bus has, or had last. */
  isInUse(label: string): boolean
  readonly limits: Pick<WebConfig, 'maxHandshakes' | 'maxMessageBytes'>
}

export class PageLabel {
  frontend: ExternalFrontend
  readonly #closed = createDeferred()
  /** Resolves once the label has no frontend any more: it has failed, or the bus or the server closes. */
  readonly closed: Promise<void> = this.#closed.promise
  /** WebSockets of this label's pages. Limits count for each label, because its pages can exhaust them on purpose. */
  readonly sockets: Set<PageSocket> = new Set()
  readonly handshakes: RateLimit
  readonly incomplete: IncompleteMessages
  readonly #deps: PageLabelDeps
  readonly #slots: Slot[]
  #isClosing = false

  constructor(deps: PageLabelDeps) {
    this.#deps = deps
    this.frontend = deps.frontend
    this.handshakes = new RateLimit(deps.limits.maxHandshakes)
    this.incomplete = new IncompleteMessages(deps.limits.maxMessageBytes + MAX_UNCLAIMED_BYTES)
    const first: Slot = { number: 1, frontend: Promise.resolve(deps.frontend), tab: undefined, page: undefined }
    this.#slots = [first]
    this.#watch(first, deps.frontend)
  }

  /** Connects a page under its label, or refuses it. A page that still answers is never replaced, not even by its own tab. */
  async admit(page: PageSocket): Promise<void> {
    const slot = this.#findSlot(page)
    const holder = slot.page
    if (!holder) return this.#join(slot, page)
    const isAnswering = await holder.isAnswering(ANSWER_TIMEOUT_MS)
    // The client of the page tries again: the other page can have been closed, which shows when it is read.
    if (isAnswering === undefined) return page.refuse(CLOSE_UNAVAILABLE, '')
    if (!isAnswering) {
      holder.terminate()
      if (slot.page === holder) slot.page = undefined
    } else if (this.#deps.multiple) {
      // Browsers copy the session storage, and the id in it, to a window that a page opens and to a duplicated tab.
      page.changeTab()
    } else {
      return page.refuse(CLOSE_IN_USE, 'This page is open in another tab. Close that tab, and reload this one.')
    }
    return this.admit(page)
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#closeAll(this.#slots)
  }

  async #closeAll(slots: readonly Slot[]): Promise<void> {
    for (const { endWait } of slots) endWait?.()
    await Promise.allSettled(slots.map(async ({ frontend }) => (await frontend).close()))
  }

  #watch(slot: Slot, frontend: ExternalFrontend): void {
    void frontend.exited.then(error => {
      if (slot.number > 1) return this.#remove(slot)
      // The app has closed the label, which ends the session of its user, with all tabs. The next user gets a frontend of their own.
      void this.#closeAll(this.#slots.slice(1))
      if (error || this.#isClosing) return this.#closed.resolve()
      slot.frontend = this.#deps.open(this.#deps.label)
      slot.frontend.then(
        opened => {
          this.frontend = opened
          this.#watch(slot, opened)
        },
        () => this.#closed.resolve(),
      )
    })
  }

  #findSlot({ tab }: PageSocket): Slot {
    const slots = this.#slots
    const free = slots.find(slot => slot.tab === tab) ?? slots.find(slot => !slot.page)
    if (free) return free
    if (!this.#deps.multiple) return slots[0]!
    const numbers = new Set(slots.map(slot => slot.number))
    let number = 2
    while (numbers.has(number) || this.#deps.isInUse(`${this.#deps.label}-${number}`)) number++
    const frontend = this.#deps.open(`${this.#deps.label}-${number}`)
    const slot: Slot = { number, frontend, tab: undefined, page: undefined }
    slots.push(slot)
    // `#join` has the error.
    frontend.then(
      opened => this.#watch(slot, opened),
      () => {},
    )
    return slot
  }

  async #join(slot: Slot, page: PageSocket): Promise<void> {
    slot.endWait?.()
    slot.page = page
    slot.tab = page.tab
    let code: ExternalCode | undefined
    try {
      const frontend = await slot.frontend
      if (slot.page !== page) return
      code = page.createCode(frontend)
      frontend.join(code)
      await page.closed
      frontend.leave(code)
    } catch (error) {
      this.#remove(slot)
      page.refuse(CLOSE_UNAVAILABLE, '')
      throw error
    } finally {
      if (slot.page === page) this.#vacate(slot)
    }
  }

  /** Keeps the label of a page that was closed for a while: it can be reloading. */
  #vacate(slot: Slot): void {
    slot.page = undefined
    if (slot.number === 1) return
    slot.endWait = silence(RETURN_TIMEOUT_MS, { keepsAlive: false }, () => {
      this.#remove(slot)
      // One that could not be opened has rejected before.
      void slot.frontend.then(
        frontend => frontend.close(),
        () => {},
      )
    })
  }

  #remove(slot: Slot): void {
    const at = this.#slots.indexOf(slot)
    if (at > 0) this.#slots.splice(at, 1)
  }
}
