// A frontend that looks through its own memory, once records have passed through its hands.
import { getData, invoke } from '@sallyport/frontend'
import { dumpMemory } from './dump-memory.mjs'

const { folder } = getData()
for (let i = 0; i < 10; i++) await invoke('add', { a: i, b: 1 })
globalThis.planted = Uint8Array.from(Buffer.from('planted in the frontend, 32 bytes'))
await dumpMemory(`${folder}/frontend`)
await invoke('add', { a: 1, b: 'done' })
await invoke('dump')
