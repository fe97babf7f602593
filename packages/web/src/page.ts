// The script that the server adds to a page, before the page's own: connects it, and installs Tauri's globals.
import { LinkClient, install, type InvokeOptions, setCurrentClient } from '@sallyport/frontend/internal'
import { BusError, isBusError } from '@sallyport/protocol/internal'
import { BASE_PATH, type Greeting } from './greeting.js'
import { PageSession, setPageSession, toSocketUrl } from './page-session.js'

/** The server writes this line before the script. */
declare const SALLYPORT_GREETING: Greeting

/** Commands of a native window, except for the two that core has. */
const NATIVE = /^plugin:(?!window\|get_all_windows$|webview\|get_all_webviews$)(?:window|webview|menu|tray|image)\|/

/** A client whose errors say what a page cannot do. */
class PageClient extends LinkClient {
  override invoke<T = unknown>(command: string, args?: object, options?: InvokeOptions): Promise<T> {
    const result = super.invoke<T>(command, args, options)
    return NATIVE.test(command)
      ? result.catch((error: unknown) => Promise.reject(explainNative(command, error)))
      : result
  }
}

/** Explains why core has no such command, which a native window would have. */
function explainNative(command: string, error: unknown): unknown {
  if (!isBusError(error, 'Denied') && !isBusError(error, 'MethodNotFound')) return error
  const text = `${command} needs a native window of Tauri. This page runs in a browser`
  return new BusError(error.reason, text, { cause: error })
}

function convertFileSrc(path: string): never {
  const text = `convertFileSrc: a page in a browser cannot load ${path} from the host. Read it with a command, and make a Blob`
  throw new BusError('MethodNotFound', text)
}

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
