// `import '@sallyport/frontend/tauri'` makes the npm package @tauri-apps/api work in a frontend's module. In any other thread the
// import only provides `installTauri`.
import { findCurrentClient } from './client/current-client.js'
import { installTauri, isOurs, type TauriInstallation } from './tauri/install.js'

export { installTauri, type TauriInstallation } from './tauri/install.js'

const client = findCurrentClient()
const isInstalled = isOurs(Reflect.get(globalThis, '__TAURI_INTERNALS__'))

/** Removes this frontend's globals; `undefined` if this thread is not a frontend, which gets no globals. */
export const installed: TauriInstallation | undefined = client && !isInstalled ? installTauri(client) : undefined
