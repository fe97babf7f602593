// @ts-check
// The host program: starts good plugins and transforms a text, then bad ones, and transforms again.
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const storage = (process.env['PLUGIN_STORAGE'] = await mkdtemp(join(tmpdir(), 'sallyport-plugins-')))
const { createPluginHost } = await import('./plugin-host.js')
const bad = (await readdir(join(here, 'bad-plugins'))).toSorted()
const { plugins, transform, close } = await createPluginHost({
  directory: join(here, 'plugins'),
  packages: bad.map(name => join(here, 'bad-plugins', name)),
  grants: join(storage, 'grants.json'),
  enable: ({ label }) => !bad.includes(label),
  // Stands for a person: grants everything to the good plugins, and only `documents` to the others.
  ask: ({ label, permissions }) =>
    !bad.includes(label) || { permissions: permissions.filter(asked => asked === 'documents') },
  onStopped: (name, why) => console.log(`  stops ${name}: ${why}`),
  onNotice: (name, text) => console.log(`  ${name} says: ${text}`),
})
try {
  const printGrants = (/** @type {boolean} */ areBad) => {
    for (const { label, granted } of plugins.list())
      if (bad.includes(label) === areBad)
        console.log(`${label} may use: ${granted?.permissions.join(', ') || 'nothing'}`)
  }
  const print = async (/** @type {string} */ text) => {
    const answers = await transform(text)
    for (const name of Object.keys(answers).toSorted()) console.log(`${name}: ${String(answers[name])}`)
  }
  printGrants(false)
  await print('the sallyport is shut')

  await plugins.disable('shout')
  console.log('disabled shout')
  await plugins.reload('count')
  await print('the sallyport is open')

  await Promise.all(bad.map(name => plugins.enable(name)))
  printGrants(true)
  await print('and again')
  const running = plugins.list().filter(({ state }) => state === 'running')
  console.log(`still running: ${running.map(({ label }) => label).join(', ')}`)
  // The inspector ends with the program.
  if (process.env['SALLYPORT_INSPECT']) await waitForEnter()
} finally {
  await close()
  await rm(storage, { recursive: true })
}

/** Also ends when there is nobody to press it: standard input is closed. */
async function waitForEnter() {
  const lines = createInterface({ input: process.stdin })
  console.log('Press Enter to end. Until then the inspector shows what happened.')
  await Promise.race([once(lines, 'line'), once(lines, 'close')])
  lines.close()
}
