// Tauri's official plugins, each a function that takes the host's decisions and returns a plugin for `defineCore`.
export { fs, type FsOptions } from './fs/plugin.js'
export { http, type HttpOptions } from './http/http.js'
export { store, type StoreOptions } from './store/store.js'
