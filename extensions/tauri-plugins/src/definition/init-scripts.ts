// Scripts for frontends: the globals that guests of Tauri read, and that Tauri's plugins install with scripts of their own. They run in
// pages, and in workers after Tauri's globals exist.

/** This machine, as the functions of the guest describe it. */
export interface OsInfo {
  readonly eol: string
  readonly os_type: string
  readonly platform: string
  readonly family: 'unix' | 'windows'
  /** The version of the distribution on Linux, and of the product on macOS. */
  readonly version: string
  readonly arch: string
  readonly exe_extension: '' | 'exe'
}

/** Returns the script that sets the answers of the synchronous functions of @tauri-apps/plugin-os. */
export const getOsScript = (info: OsInfo): string =>
  `Object.defineProperty(window, '__TAURI_OS_PLUGIN_INTERNALS__', { value: Object.freeze(${toLiteral(info)}), configurable: true })`

/** A page can have the script in a `<script>` element. */
const toLiteral = (value: object): string => JSON.stringify(value).replaceAll('<', '\\u003c')

// No caller sees the errors of these calls, so they are logged: an unhandled rejection ends a worker.

/** `window.Notification` over the plugin, with what the guest and the web's standard need. */
export const NOTIFICATION_SCRIPT = `(() => {
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

/** `alert` and `confirm` over the plugin. Both are asynchronous, as in Tauri. */
export const DIALOG_SCRIPT = `(() => {
  const ask = (command, message) =>
    window.__TAURI_INTERNALS__.invoke('plugin:dialog|' + command, { message: String(message ?? '') })
  const define = (name, value) => Object.defineProperty(window, name, { value, configurable: true, writable: true })
  define('alert', message => void ask('message', message).catch(error => console.error(error)))
  define('confirm', message => ask('confirm', message))
})()`
