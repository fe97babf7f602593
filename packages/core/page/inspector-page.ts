// The inspector's page: follows the feed of the bus, and shows it. The page is read-only, and inserts all that comes from the bus as text.
import { createAccess } from './inspector/access.js'
import { getById, setText } from './inspector/dom.js'
import { createFacts } from './inspector/facts.js'
import { followFeed } from './inspector/follow.js'
import { createCommands, createFrontends } from './inspector/frontends.js'
import { createMachines } from './inspector/machines.js'
import { createRecentEvents } from './inspector/recent-events.js'
import { createTiles } from './inspector/tiles.js'

const THEME_KEY = 'sallyport-theme'
const FIND_DELAY_MS = 200

/** Applies the chosen theme, or the system's. */
function watchTheme(): void {
  const root = document.documentElement
  const inputs = [...document.querySelectorAll<HTMLInputElement>('.themes input')]
  const apply = (theme: string): void => {
    if (theme === 'light' || theme === 'dark') root.dataset['theme'] = theme
    else delete root.dataset['theme']
  }
  const stored = localStorage.getItem(THEME_KEY) ?? 'auto'
  for (const input of inputs) {
    if (input.value === stored) input.checked = true
    input.addEventListener('change', () => {
      localStorage.setItem(THEME_KEY, input.value)
      apply(input.value)
    })
  }
  apply(stored)
}

watchTheme()
const token = new URLSearchParams(location.search).get('token') ?? ''
const facts = createFacts()
const sections = [
  facts.show,
  createTiles(),
  createFrontends(),
  createCommands(),
  createMachines(),
  createRecentEvents(),
  createAccess(token),
]
const feed = followFeed(token, {
  onSnapshot: snapshot => sections.forEach(show => show(snapshot)),
  onConnection: connection => facts.showConnection(connection),
})

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
