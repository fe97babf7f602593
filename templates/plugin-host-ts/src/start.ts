// The program: installs the plugins in plugins/, and calls one of them.
import { createPluginHost } from './host.js'

/** Permissions that you allow each plugin. A plugin gets those of them that its manifest requests. */
const GRANTS = new Map([['hello', ['allow-notify']]])

const host = await createPluginHost({
  grant: (name, asked) => asked.filter(permission => GRANTS.get(name)?.includes(permission)),
  onNotice: (name, text) => console.log(`${name} says: ${text}`),
  onStopped: (name, why) => console.error(`${name} was stopped: ${why}`),
  onSkipped: (directory, why) => console.error(`plugins/${directory} was skipped: ${why}`),
})
try {
  await host.installAll(new URL('../plugins/', import.meta.url))
  console.log(await host.call('hello', 'greet', { name: 'World' }))
} finally {
  await host.close()
}
