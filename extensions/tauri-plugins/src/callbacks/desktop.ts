// Three plugins whose commands are calls of the host: clipboard-manager, notification and process.
import type { Plugin } from '@sallyport/core'
import { checkOptions, FUNCTION } from '@sallyport/paths/internal'
import {
  type Args,
  createPlugin,
  getOptionalInteger,
  getOptionalObject,
  getOptionalText,
  getText,
  invalidArg,
  isInteger,
  toBytes,
} from '../shared/plugin.js'
import { askHost, askPerson, type HostRequest, toSafeText, withLabel } from './ask.js'

/** Functions of the host for `clipboardManager`. Without one its command is refused. */
export interface ClipboardManagerOptions {
  /** Returns the text of the clipboard. */
  readText?(request: HostRequest): string | Promise<string>
  /** Replaces the clipboard by a text. */
  writeText?(text: string, request: HostRequest): unknown
  /** `altText` is for programs that accept no HTML. */
  writeHtml?(html: string, altText: string | undefined, request: HostRequest): unknown
  /** Receives an encoded image, such as a PNG. */
  writeImage?(image: Uint8Array, request: HostRequest): unknown
  /** Empties the clipboard. */
  clear?(request: HostRequest): unknown
}

const MAX_CLIPBOARD_TEXT = 4 * 1024 * 1024
const MAX_IMAGE_BYTES = 16 * 1024 * 1024

/** Returns Tauri's plugin `clipboard-manager`. `clipboard-manager:default` allows nothing: name the commands. Images cannot be read. */
export function clipboardManager(options: ClipboardManagerOptions = {}): Plugin<'clipboard-manager'> {
  checkOptions('clipboardManager()', options, {
    readText: FUNCTION,
    writeText: FUNCTION,
    writeHtml: FUNCTION,
    writeImage: FUNCTION,
    clear: FUNCTION,
  })
  const { readText, writeText, writeHtml, writeImage, clear } = options
  const name = (member: string): string => `clipboardManager({ ${member} })`
  return createPlugin('clipboard-manager', {
    commands: {
      read_text: async (_args, ctx) => {
        const text = await askHost(name('readText'), ctx, readText, [])
        if (typeof text !== 'string') throw new Error(`The host's ${name('readText')} did not return a string.`)
        return text
      },
      write_text: async (args, ctx) => {
        const text = getText(args, 'text', MAX_CLIPBOARD_TEXT)
        await askHost(name('writeText'), ctx, writeText, [text])
      },
      write_html: async (args, ctx) => {
        const html = getText(args, 'html', MAX_CLIPBOARD_TEXT)
        // The second name is that of older guests.
        const altText =
          getOptionalText(args, 'altText', MAX_CLIPBOARD_TEXT) ?? getOptionalText(args, 'altHtml', MAX_CLIPBOARD_TEXT)
        await askHost(name('writeHtml'), ctx, writeHtml, [html, altText])
      },
      write_image: async (args, ctx) => {
        await askHost(name('writeImage'), ctx, writeImage, [getImage(args)])
      },
      read_image: () => {
        throw new Error('API not supported on the current platform')
      },
      clear: async (_args, ctx) => {
        await askHost(name('clear'), ctx, clear, [])
      },
    },
  })
}

/** The guest sends bytes as numbers. Numbers of images and paths need a desktop. */
function getImage({ image }: Args): Uint8Array {
  const bytes = toBytes(image)
  if (!bytes) throw invalidArg('image', 'expected the bytes of an encoded image')
  if (bytes.length > MAX_IMAGE_BYTES) throw invalidArg('image', `more than ${MAX_IMAGE_BYTES} bytes`)
  return Uint8Array.from(bytes)
}

/** A notification. Its texts are for a person: in one line, and not too long. */
export interface Notification {
  /** The frontend's number of it. */
  readonly id: number | undefined
  /** Begins with the frontend's label. */
  readonly title: string
  /** The text below the title. */
  readonly body: string | undefined
  /** The icon's name or path, as the frontend wrote it. */
  readonly icon: string | undefined
  /** The sound's name, as the frontend wrote it. */
  readonly sound: string | undefined
  /** The group of notifications that it belongs to. */
  readonly group: string | undefined
}

/** Whether a person lets a frontend show notifications. */
export type NotificationPermission = 'granted' | 'denied' | 'prompt'

/** Functions of the host for `notification`. Without `notify` every command is refused. */
export interface NotificationOptions {
  /** Shows a notification. */
  notify?(notification: Notification, request: HostRequest): unknown
  /** Returns what a person decided before. By default it is granted. */
  permission?(request: HostRequest): NotificationPermission | Promise<NotificationPermission>
  /** Asks a person. By default it is granted. */
  requestPermission?(request: HostRequest): NotificationPermission | Promise<NotificationPermission>
}

const MAX_NOTIFICATIONS = 10
const PERIOD_MS = 60_000
const MAX_NOTIFICATION_TEXT = 100_000

/** `window.Notification` over the plugin, with what the guest and the web's standard need. */
const NOTIFICATION_SCRIPT = `(() => {
  const invoke = (command, args) => window.__TAURI_INTERNALS__.invoke('plugin:notification|' + command, args)
  let permission = 'default'
  const settle = value => (permission = value === 'prompt' || value === 'prompt-with-rationale' ? 'default' : value)
  class Notification {
    static get permission() {
      return permission
    }
    static async requestPermission(callback) {
      const answer = settle(await invoke('request_permission'))
      if (typeof callback === 'function') callback(answer)
      return answer
    }
    constructor(title, options) {
      if (arguments.length === 0) throw new TypeError('Notification: 1 argument required, but only 0 present.')
      this.title = String(title)
      this.body = options?.body ?? ''
      this.onerror = null
      invoke('notify', { options: { ...options, title: this.title } }).catch(error => {
        if (typeof this.onerror === 'function') this.onerror(error)
        else console.error(error)
      })
    }
    close() {}
  }
  Object.defineProperty(window, 'Notification', { value: Notification, configurable: true, writable: true })
})()`

/** Returns Tauri's plugin `notification`, with `window.Notification` for frontends. A frontend can show 10 notifications a minute. */
export function notification(options: NotificationOptions = {}): Plugin<'notification'> {
  checkOptions('notification()', options, { notify: FUNCTION, permission: FUNCTION, requestPermission: FUNCTION })
  const { notify, permission, requestPermission } = options
  const grant = (): NotificationPermission => 'granted'
  const name = 'notification({ notify })'
  return createPlugin('notification', {
    script: NOTIFICATION_SCRIPT,
    setup: app => void app.manage(NotificationTimes, new NotificationTimes()),
    commands: {
      is_permission_granted: async (_args, ctx) => {
        const state = await askHost(name, ctx, notify && (permission ?? grant), [])
        return state === 'prompt' ? null : state === 'granted'
      },
      request_permission: (_args, ctx) => askPerson(name, ctx, notify && (requestPermission ?? grant), []),
      notify: async (args, ctx) => {
        const shown = getOptionalObject(args, 'options')
        const getShort = (key: string): string | undefined => {
          const text = getOptionalText(shown, key, MAX_NOTIFICATION_TEXT)
          return text === undefined ? undefined : toSafeText(text)
        }
        const value: Notification = {
          id: getOptionalInteger(shown, 'id'),
          title: withLabel(ctx.label, getText(shown, 'title', MAX_NOTIFICATION_TEXT)),
          body: getShort('body'),
          icon: getShort('icon'),
          sound: getShort('sound'),
          group: getShort('group'),
        }
        if (notify) ctx.state(NotificationTimes).add(ctx.label)
        await askHost(name, ctx, notify, [value])
      },
    },
  })
}

class NotificationTimes {
  readonly #times = new Map<string, number[]>()

  /** @throws {Error} if the frontend has shown too many */
  add(label: string): void {
    const now = performance.now()
    for (const [each, times] of this.#times) if (times.at(-1)! < now - PERIOD_MS) this.#times.delete(each)
    const recent = (this.#times.get(label) ?? []).filter(time => time >= now - PERIOD_MS)
    if (recent.length >= MAX_NOTIFICATIONS) {
      throw new Error(`Notification refused: ${MAX_NOTIFICATIONS} were shown within ${PERIOD_MS} ms. Try again later.`)
    }
    this.#times.set(label, [...recent, now])
  }
}

/** Functions of the host for `process`. Without one its command is refused. */
export interface ProcessOptions {
  /** Ends the app, or closes the frontend: what `exit` means is up to the host. */
  exit?(code: number, request: HostRequest): unknown
  /** Restarts the app, or reloads the frontend. */
  restart?(request: HostRequest): unknown
}

/** Returns Tauri's plugin `process`. `process:default` allows a frontend to call both functions. */
export function process(options: ProcessOptions = {}): Plugin<'process'> {
  const { exit, restart } = checkOptions('process()', options, { exit: FUNCTION, restart: FUNCTION })
  return createPlugin('process', {
    commands: {
      exit: async ({ code = 0 }, ctx) => {
        if (!isInteger(code)) throw invalidArg('code', 'expected an integer')
        await askHost('process({ exit })', ctx, exit, [code])
      },
      restart: async (_args, ctx) => {
        await askHost('process({ restart })', ctx, restart, [])
      },
    },
  })
}
