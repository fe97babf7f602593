// The script that the server adds to a page, before the page's own: connects it, and installs Tauri's globals.
import { BusError } from '@sallyport/protocol/internal'
import { install } from '@sallyport/frontend/internal'
import { BASE_PATH, type Greeting } from './greeting.js'
import { getTab, setPageSession } from './page-globals.js'
import { PageSession } from './page-session.js'

/** The server writes this line before the script. */
declare const SALLYPORT_GREETING: Greeting

function convertFileSrc(path: string): never {
  const text = `convertFileSrc: a page in a browser cannot load ${path} from the host. Read it with a command, and make a Blob`
  throw new BusError('MethodNotFound', text)
}

/** Replaces the page by a text. */
function showEnd({ message }: BusError): void {
  const note = document.createElement('p')
  note.setAttribute('role', 'alert')
  note.textContent = message
  document.body.replaceChildren(note)
}

const url = new URL(`${BASE_PATH}?tab=${getTab()}`, location.href)
url.protocol = url.protocol.replace('http', 'ws')
const expected = SALLYPORT_GREETING
const session = new PageSession({ url: url.href, expected, onEnded: showEnd })
setPageSession(session)
install(session.client!, globalThis, { path: expected.path, convertFileSrc })
