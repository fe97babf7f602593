// @ts-check
// The longer hooks of Tauri's guides at work: one allows commands by name and blocks paths, the other blocks files and
// asks a person. They read messages in an older format, `{ cmd: 'invoke', message }`, which `legacyMessages` enables.
import { createBus } from '@sallyport/core'

console.log('dist-isolation-allow-list:')
await withHook('dist-isolation-allow-list/', async invoke => {
  await invoke('greet', { name: 'World' })
  await invoke('delete_item', { id: 1 })
  await invoke('read_config', { path: '/etc/passwd' })
})

console.log('dist-isolation-read-file:')
await withHook('dist-isolation-read-file/', async invoke => {
  await invoke('readFile', { path: '/allowed/directory/a.txt' }) // passes the hook; core finds no such file
  await invoke('readFile', { path: '/etc/passwd' })
  await invoke('deleteItem', { id: 1 })
  await invoke('deleteItem', { id: 2 })
})

/**
 * Calls commands from this thread, as a frontend with the label 'tests', and prints how each call ends.
 *
 * @param {string} dir
 * @param {(invoke: (command: string, args: Record<string, unknown>) => Promise<void>) => Promise<void>} calls
 */
async function withHook(dir, calls) {
  const answers = [true, false]
  const bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    isolation: { dir: new URL(dir, import.meta.url), legacyMessages: true },
    capabilities: [
      {
        identifier: 'tests',
        windows: ['tests'],
        permissions: ['allow-greet', 'allow-delete-item', 'allow-read-config', 'allow-readFile', 'allow-deleteItem'],
      },
    ],
    log: false,
    onConfirm(text) {
      const answer = answers.shift() ?? false
      console.log(`  ${text} ${answer ? 'Yes' : 'No'}`)
      return answer
    },
  })
  try {
    const client = await bus.connect('tests')
    await calls(async (command, args) => {
      const outcome = await client.invoke(command, args).catch(error => `${error.reason}: ${error.message}`)
      console.log(`  ${command} ${JSON.stringify(args)}:`, outcome)
    })
  } finally {
    await bus.close()
  }
}
