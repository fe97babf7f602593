// The entry of core or a gate, by its arguments: replaces the module of records if it has to be plain, then runs Sallyport's entry.
import * as nodeModule from 'node:module'
import { pathToFileURL } from 'node:url'
import { resolve } from './plain-records.js'

/** Since Node 22.15, in the thread itself. */
const { registerHooks } = nodeModule as { registerHooks?: (hooks: { resolve: typeof resolve }) => void }
const [role, hook] = process.argv.slice(-2)
if (hook === 'plain') {
  if (registerHooks) registerHooks({ resolve })
  else nodeModule.register('./plain-records.js', import.meta.url)
}

if (role === 'core') await import('@sallyport/core/worker')
else {
  // The gate's package is a dependency of core, not of the benchmark.
  const core = nodeModule.createRequire(import.meta.resolve('@sallyport/core'))
  await import(pathToFileURL(core.resolve('@sallyport/isolation/worker')).href)
}
