// A program that starts a bus, and writes out its own memory and everything that can be inspected.
import { createBus } from '@sallyport/core'
import { writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { pino } from 'pino'
import { dumpMemory } from './dump-memory.mjs'

const directory = process.env.KEY_HUNT
const at = name => new URL(name, import.meta.url)
const permissions = ['allow-add', 'allow-dump']
let shown = ''
const bus = await createBus({
  core: at('core.mjs'),
  // A thread that writes out its memory on a busy machine is blocked for long.
  supervision: { heartbeat: false },
  isolation: {},
  capabilities: [{ identifier: 'all', windows: ['*'], permissions }],
  log: pino({ level: 'trace' }, { write: line => void (shown += line) }),
})
const client = await bus.connect('tests')
await client.invoke('add', { a: 1, b: 1 })
globalThis.planted = Uint8Array.from(Buffer.from('planted in the host, 32 bytes ...'))
await dumpMemory(`${directory}/host`)

bus.on('fault', fault => (shown += inspect(fault, { showHidden: true, depth: null })))
await client.invoke('none').catch(error => (shown += inspect(error, { showHidden: true, depth: null })))
await bus.open('hunter', at('frontend.mjs'), { sandbox: 'none', data: { directory }, loaded: false })
const { readdirSync } = await import('node:fs')
while (!readdirSync(directory).includes('core')) await new Promise(resolve => setTimeout(resolve, 20))
for (const value of [bus, client, createBus]) {
  shown += inspect(value, { showHidden: true, depth: null, getters: true, maxArrayLength: null, maxStringLength: null })
}
await bus.close()
writeFileSync(`${directory}/shown`, shown)
