// State that the scripts of one page share: its session, and the id of its tab.
import type { PageSession } from './page-session.js'

const SESSION = Symbol.for('@sallyport/web:session')
const TAB_KEY = 'sallyport-tab'

/** The session of the page, whichever copy of this package has opened it. */
export const findPageSession = (): Pick<PageSession, 'connected'> | undefined =>
  (globalThis as { [SESSION]?: PageSession })[SESSION]

export function setPageSession(session: PageSession): void {
  Object.defineProperty(globalThis, SESSION, { value: session })
}

/** Returns an id that a reload of the page keeps, so that the server knows it from a second tab. */
export function getTab(): string {
  try {
    const known = sessionStorage.getItem(TAB_KEY)
    if (known !== null) return known
    const tab = createTab()
    sessionStorage.setItem(TAB_KEY, tab)
    return tab
  } catch {
    // Storage can be disabled.
    return createTab()
  }
}

const createTab = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')
