// The script that the server adds to a page, before the page's own: connects it, and installs Tauri's globals.
import { LinkClient, install, type InvokeOptions, setCurrentClient } from '@sallyport/frontend/internal'
import { BusError, isBusError } from '@sallyport/protocol/internal/errors'
import { BASE_PATH, type Greeting, WINDOW_ANSWERS, WINDOW_SCRIPT_PATH } from './contract/greeting.js'
import { PageSession, setPageSession, toSocketUrl } from './page-session.js'

/** The server writes this line before the script. */
declare const SALLYPORT_GREETING: Greeting

const NATIVE = /^plugin:(?!window\|get_all_windows$|webview\|get_all_webviews$)(?:window|webview|menu|tray|image)\|/

/** A client that answers commands of a window from the page, if core does not have them. Its errors say what a page cannot do. */
class PageClient extends LinkClient {
  override invoke<T = unknown>(command: string, args?: object, options?: InvokeOptions): Promise<T> {
    const result = super.invoke<T>(command, args, options)
    return NATIVE.test(command) ? result.catch(error => this.#answer(command, args, error) as T) : result
  }

  async #answer(command: string, args: object | undefined, error: unknown): Promise<unknown> {
    if (!isBusError(error, 'MethodNotFound')) throw error
    const { label = this.label }: { label?: unknown } = args ?? {}
    const answer = label === this.label ? (await loadAnswers())?.(command) : undefined
    if (answer) return answer()
    const text = `${command} needs a native window of Tauri. This page runs in a browser`
    throw new BusError('MethodNotFound', text, { cause: error })
  }
}

type FindAnswer = (command: string) => (() => unknown) | undefined

/** Resolves with `undefined` if the script cannot be loaded. */
async function loadAnswers(): Promise<FindAnswer | undefined> {
  const findLoaded = () => Reflect.get(globalThis, WINDOW_ANSWERS) as FindAnswer | undefined
  if (findLoaded()) return findLoaded()
  const script = document.createElement('script')
  script.src = WINDOW_SCRIPT_PATH
  await new Promise(resolve => {
    script.onload = script.onerror = resolve
    document.documentElement.append(script)
  })
  script.remove()
  return findLoaded()
}

/** Without the asset protocol the URL has no file, as in Tauri. */
const convertFileSrc = (path: string, protocol = 'asset'): string =>
  `${location.origin}${BASE_PATH}/${protocol}/${encodeURIComponent(path)}`

function showEnd({ message }: BusError): void {
  const note = document.createElement('p')
  note.setAttribute('role', 'alert')
  note.textContent = message
  document.body.replaceChildren(note)
}

// A service worker of another program that had this port could answer for these pages.
void navigator.serviceWorker?.getRegistrations().then(all => all.forEach(worker => void worker.unregister()))

const url = toSocketUrl(BASE_PATH)
const expected = SALLYPORT_GREETING
const session = new PageSession({ url, expected, clientClass: PageClient, onEnded: showEnd })
setPageSession(url, session)
setCurrentClient(session.client!)
install(session.client!, globalThis, { path: expected.path, convertFileSrc })
