// Answers commands of Tauri's window from the page that is one: its size, its title, its theme. Only what is read, and never of another
// label. Loaded when a page calls such a command and core does not have it.
import { WINDOW_ANSWERS } from './contract/greeting.js'

const scale = (): number => devicePixelRatio
const toSize = (width: number, height: number): object => ({
  width: Math.round(width * scale()),
  height: Math.round(height * scale()),
})
const toPosition = (x: number, y: number): object => ({ x: Math.round(x * scale()), y: Math.round(y * scale()) })
const getPosition = (): object => toPosition(screenX, screenY)
const getInnerSize = (): object => toSize(innerWidth, innerHeight)

function getMonitor(): object {
  const { width, height, availWidth, availHeight } = screen
  // Browsers other than Chromium do not have these.
  const { availLeft = 0, availTop = 0 } = screen as { availLeft?: number; availTop?: number }
  return {
    name: null,
    scaleFactor: scale(),
    position: toPosition(0, 0),
    size: toSize(width, height),
    workArea: { position: toPosition(availLeft, availTop), size: toSize(availWidth, availHeight) },
  }
}

const answers: Readonly<Record<string, () => unknown>> = {
  'window|title': () => document.title,
  'window|scale_factor': scale,
  'window|theme': () => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'),
  'window|inner_size': getInnerSize,
  'window|outer_size': () => toSize(outerWidth, outerHeight),
  'window|inner_position': getPosition,
  'window|outer_position': getPosition,
  'window|is_fullscreen': () => document.fullscreenElement !== null,
  'window|is_maximized': () => outerWidth >= screen.availWidth && outerHeight >= screen.availHeight,
  'window|is_minimized': () => false,
  'window|is_focused': () => document.hasFocus(),
  'window|is_visible': () => document.visibilityState === 'visible',
  'window|is_decorated': () => true,
  'window|is_resizable': () => true,
  'window|is_maximizable': () => true,
  'window|is_minimizable': () => true,
  'window|is_closable': () => true,
  'window|is_enabled': () => true,
  'window|is_always_on_top': () => false,
  'window|current_monitor': getMonitor,
  'window|primary_monitor': getMonitor,
  'window|available_monitors': () => [getMonitor()],
  'webview|webview_position': () => toPosition(0, 0),
  'webview|webview_size': getInnerSize,
}

/** @returns a function that answers, or `undefined` for a command that a page cannot answer */
const find = (command: string): (() => unknown) | undefined => {
  const name = command.replace(/^plugin:/, '')
  return Object.hasOwn(answers, name) ? answers[name] : undefined
}

Object.defineProperty(globalThis, WINDOW_ANSWERS, { value: find, configurable: true })
