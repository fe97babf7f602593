// The entry of core or a gate, by its last argument: replaces the module of records, then runs Sallyport's entry.
import * as nodeModule from 'node:module'
import { pathToFileURL } from 'node:url'
import { resolve } from './plain-records.js'

/** Since Node 22.15, in the thread itself. */
const { registerHooks } = nodeModule as { registerHooks?: (hooks: { resolve: typeof resolve }) => void }
if (registerHooks) registerHooks({ resolve })
else nodeModule.register('./plain-records.js', import.meta.url)

if (process.argv.at(-1) === 'core') await import('@sallyport/core/worker')
else {
  // The gate's package is a dependency of core, not of the benchmark.
  const core = nodeModule.createRequire(import.meta.resolve('@sallyport/core'))
  await import(pathToFileURL(core.resolve('@sallyport/isolation/worker')).href)
}
