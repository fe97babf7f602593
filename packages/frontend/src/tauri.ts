// `import '@sallyport/frontend/tauri'` in a frontend's module: from then on the npm package @tauri-apps/api works there. In
// any other thread the import does nothing but give `installTauri`.
import { findCurrentClient } from './client/current-client.js'
import { installTauri, isOurs, type TauriInstallation } from './tauri/install.js'

export { installTauri, type TauriInstallation } from './tauri/install.js'

const client = findCurrentClient()
const isThere = isOurs(Reflect.get(globalThis, '__TAURI_INTERNALS__'))

/** What takes the globals of this frontend away again; `undefined` in a thread that is no frontend, where none were put. */
export const installed: TauriInstallation | undefined = client && !isThere ? installTauri(client) : undefined
