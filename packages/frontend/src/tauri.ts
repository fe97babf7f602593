// `import '@sallyport/frontend/tauri'` makes the npm package @tauri-apps/api work in a frontend's module: it installs Tauri's globals
// on the window, and runs the scripts of core's plugins. In any other thread the import only provides `installTauri`.
import { installInFrontend } from './runtime/install-tauri.js'

export { installTauri } from './runtime/install-tauri.js'
export type { TauriInstallation } from './tauri/install.js'

installInFrontend()
