// Tauri's official plugins, each a function that takes the host's decisions and returns a plugin for `defineCore`.
export { fs, type FsOptions } from './fs/plugin.js'
export { http, type HttpOptions } from './http/http.js'
export { type HostRequest } from './callbacks/ask.js'
export { clipboardManager, type ClipboardManagerOptions } from './callbacks/clipboard.js'
export { dialog, type DialogMessage, type DialogOptions, type FileDialog, type OpenDialog } from './callbacks/dialog.js'
export {
  notification,
  type Notification,
  type NotificationOptions,
  type NotificationPermission,
} from './callbacks/notification.js'
export { opener, type OpenerOptions, type OpenRequest, shell, type ShellOptions } from './callbacks/opener.js'
export { process, type ProcessOptions } from './callbacks/process.js'
export { log, type LogOptions } from './log.js'
export { os } from './os.js'
export { store, type StoreOptions } from './store/store.js'
