// A frontend that dumps its own memory after calls whose records its gate has sealed.
import { getData, invoke } from '@sallyport/frontend'
import { dumpMemory } from './dump-memory.mjs'

const { directory } = getData()
for (let i = 0; i < 10; i++) await invoke('add', { a: i, b: 1 })
globalThis.planted = Uint8Array.from(Buffer.from('planted in the frontend, 32 bytes'))
await dumpMemory(`${directory}/frontend`)
await invoke('add', { a: 1, b: 'done' })
await invoke('dump')
