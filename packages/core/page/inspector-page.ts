// The inspector's page: follows the bus, and shows what it is told. It only reads; whatever it shows of the bus it puts in as text.
import { createAccess } from './inspector/access.js'
import { byId, setText } from './inspector/dom.js'
import { createFacts } from './inspector/facts.js'
import { follow } from './inspector/follow.js'
import { createFrontends } from './inspector/frontends.js'
import { createMachines } from './inspector/machines.js'
import { createNews } from './inspector/news.js'
import { watchTheme } from './inspector/theme.js'
import { createTiles } from './inspector/tiles.js'

watchTheme()
const token = new URLSearchParams(location.search).get('token') ?? ''
const facts = createFacts()
const access = createAccess(token)
const parts = [facts, createTiles(), createFrontends(), createMachines(), createNews(), access]

const feed = follow(token, {
  told: snapshot => parts.forEach(part => part.show(snapshot)),
  connection: facts.connection,
})

const pause = byId('pause', HTMLButtonElement)
pause.addEventListener('click', () => {
  const isPaused = pause.getAttribute('aria-pressed') !== 'true'
  pause.setAttribute('aria-pressed', String(isPaused))
  setText(pause, isPaused ? 'Go on' : 'Pause')
  feed.pause(isPaused)
})

const find = byId('find', HTMLInputElement)
let typing: ReturnType<typeof setTimeout> | undefined
find.addEventListener('input', () => {
  clearTimeout(typing)
  typing = setTimeout(() => feed.find(find.value), 200)
})
