// The program: starts the plugins in plugins/, and calls one of them.
import { createPluginHost } from './host.js'

/** Permissions that you allow each plugin. A plugin gets those of them that its manifest requests. Ask a person instead, if there is one. */
const GRANTS = new Map([['hello', ['notify']]])

const { plugins, call, close } = await createPluginHost({
  directory: new URL('plugins/', import.meta.url),
  ask: ({ name, permissions }) => ({ permissions: permissions.filter(asked => GRANTS.get(name)?.includes(asked)) }),
  onNotice: (label, text) => console.log(`${label} says: ${text}`),
  onStopped: (label, why) => console.error(`${label} was stopped: ${why}`),
})
try {
  for (const { label, error } of plugins.list()) if (error) console.error(`${label} does not run: ${error.message}`)
  console.log(await call('hello', 'greet', { name: 'World' }))
} finally {
  await close()
}
