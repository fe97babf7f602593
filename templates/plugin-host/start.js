// The program: installs what is in plugins/, and calls one of them.
import { readdir } from 'node:fs/promises'
import { createPluginHost } from './host.js'

/** What you let each plugin do. What it does not ask for, or is not in here, it does not get. */
const GRANTS = new Map([['hello', ['allow-notify']]])

const host = await createPluginHost({
  grant: (name, asked) => asked.filter(permission => GRANTS.get(name)?.includes(permission)),
  onNotice: (name, text) => console.log(`${name} says: ${text}`),
  onStopped: (name, why) => console.error(`${name} was stopped: ${why}`),
})
try {
  const folder = new URL('plugins/', import.meta.url)
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await host.install(new URL(`${entry.name}/`, folder))
  console.log(await host.call('hello', 'greet', { name: 'World' }))
} finally {
  await host.close()
}
