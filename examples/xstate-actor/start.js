// @ts-check
// The host: a watcher first, then a guard, each with the permissions that it needs.
import { createBus } from '@sallyport/core'

/** @param {string} text */
const print = text => process.stdout.write(text)
const bus = await createBus({
  core: new URL('./core.js', import.meta.url),
  frontends: { watcher: { module: new URL('./watcher.js', import.meta.url), onStdio: print } },
  log: false, // a denial is expected
  capabilities: [
    { identifier: 'watch', windows: ['watcher', 'guard'], permissions: ['port:allow-subscribe'] },
    { identifier: 'guard', windows: ['guard'], permissions: ['port:allow-send', 'allow-siege'] },
  ],
})
try {
  const done = bus.once('done', { timeout: 60_000 })
  await bus.open('guard', new URL('./guard.js', import.meta.url), { onStdio: print })
  await done
  await bus.call('watcher', 'over') // waits until it has seen the end
} finally {
  await bus.close()
}
