// @ts-check
// The host program: installs good plugins and transforms a text, then bad ones, and transforms again.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPluginHost } from './plugin-host.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const storage = await mkdtemp(join(tmpdir(), 'sallyport-plugins-'))
const host = await createPluginHost({
  storage,
  documents: join(here, 'documents'),
  // Stands for a person: grants everything to the good plugins, and only `documents` to the others.
  grant: ({ name, permissions }) =>
    ['count', 'glossary', 'shout'].includes(name) ? permissions : permissions.filter(asked => asked === 'documents'),
  onStopped: (name, why) => console.log(`  stops ${name}: ${why}`),
  onNotice: (name, text) => console.log(`  ${name} says: ${text}`),
})
try {
  const install = async (/** @type {string} */ directory) => {
    const names = (await readdir(join(here, directory))).toSorted()
    const granted = await Promise.all(names.map(name => host.install(join(here, directory, name))))
    for (const [n, name] of names.entries()) console.log(`${name} may use: ${granted[n]?.join(', ') || 'nothing'}`)
  }
  const transform = async (/** @type {string} */ text) => {
    const answers = await host.transform(text)
    for (const name of Object.keys(answers).toSorted()) console.log(`${name}: ${String(answers[name])}`)
  }
  await install('plugins')
  await transform('the sallyport is shut')

  await host.remove('shout')
  console.log('removed shout')
  await host.reload('count')
  await transform('the sallyport is open')

  await install('bad-plugins')
  await transform('and again')
  const states = host.list().map(({ label, state }) => `${label} is ${state}`)
  console.log(states.toSorted().join(', '))
} finally {
  await host.close()
  await rm(storage, { recursive: true })
}
