// The host of README's example. Its core types the client of `connect`.
import { createBus, defineCore } from '@sallyport/core'

const core = defineCore({
  commands: {
    read_note: ({ id }: { id: number }) => `Note ${id}`,
    wipe: () => 'all gone',
  },
})
const module = new URL('./plugin.js', import.meta.url)
const bus = await createBus({
  core,
  frontends: { plugin: { module, sandbox: 'process', allow: ['read_note'] } },
})
try {
  console.log(await bus.call('plugin', 'run', {}, { timeout: 5000 }))
  const client = await bus.connect('me')
  const note: string = await client.invoke('read_note', { id: 1 })
  // @ts-expect-error: the id is a number
  console.log(note, await client.invoke('read_note', { id: '1' }))
} finally {
  await bus.close()
}
