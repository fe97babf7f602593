// The inspector's page: follows the feed of the bus, and shows it. The page is read-only, and inserts all that comes from the bus as text.
import { createAccess } from './inspector/access.js'
import { getById, setText } from './inspector/dom.js'
import { createFacts } from './inspector/facts.js'
import { followFeed } from './inspector/follow.js'
import { createFrontends } from './inspector/frontends.js'
import { createCalls, createCommands, createRecentEvents } from './inspector/calls-and-events.js'
import { createTiles } from './inspector/tiles.js'

const FIND_DELAY_MS = 200

const token = new URLSearchParams(location.search).get('token') ?? ''
let selected: string | undefined
/** Shows one frontend, or all if it is shown already. */
const select = (label: string): void => show(label === selected ? undefined : label)
const facts = createFacts(select)
const sections = [
  facts.show,
  createTiles(),
  createFrontends(select),
  createCommands(),
  createCalls(select),
  createRecentEvents(select),
  createAccess(token),
]
const feed = followFeed(token, {
  onSnapshot: snapshot => sections.forEach(update => update(snapshot)),
  onConnection: connection => facts.showConnection(connection),
})

function show(label: string | undefined): void {
  selected = label
  getById('filter', HTMLElement).hidden = label === undefined
  setText(getById('chosen', HTMLElement), label === undefined ? '' : `Only ${label} is shown.`)
  feed.select(label)
}
getById('all', HTMLButtonElement).addEventListener('click', () => show(undefined))

const pause = getById('pause', HTMLButtonElement)
pause.addEventListener('click', () => {
  const isPaused = pause.getAttribute('aria-pressed') !== 'true'
  pause.setAttribute('aria-pressed', String(isPaused))
  setText(pause, isPaused ? 'Resume' : 'Pause')
  feed.pause(isPaused)
})

const find = getById('find', HTMLInputElement)
let typing: ReturnType<typeof setTimeout> | undefined
find.addEventListener('input', () => {
  clearTimeout(typing)
  typing = setTimeout(() => feed.find(find.value), FIND_DELAY_MS)
})
