// @ts-check
// The frontend module of the example: the JavaScript of Tauri's guides, with '@sallyport/frontend' in place of
// '@tauri-apps/api/core' and '@tauri-apps/api/event'. It is the same in both patterns.
import { Channel, emit, invoke, isBusError, listen } from '@sallyport/frontend'

// Commands: request and response.
const greeting = await invoke('greet', { name: 'World' })
console.log(greeting)

const result = await invoke('process_data', { input: 'test' })
console.log(result)

// A Result: Ok resolves; Err rejects, with the error's own value as `data`.
for (const path of [`${import.meta.dirname}/hello.txt`, '/no/such/file']) {
  try {
    /** @type {string} */
    const text = await invoke('read_file', { path })
    console.log('read_file: Ok', text.trim())
  } catch (error) {
    if (!isBusError(error, 'CommandFailed')) throw error
    console.log('read_file: Err', error.data)
  }
}

// Events: fire and forget, both ways.
let resolveReceived = () => {}
const received = new Promise(resolve => (resolveReceived = () => resolve(undefined)))
const unlisten = await listen('backend-event', event => {
  console.log('Received:', event.payload)
  resolveReceived()
})
await emit('frontend-event', { data: 'value' })
await received
unlisten()

// A channel: an ordered stream that has an end. `new Channel(message => …)` is called with each message instead.
/** @type {Channel<import('./core.js').DownloadEvent>} */
const onEvent = new Channel()
const downloaded = invoke('download', { url: 'https://tauri.app/logo.png', onEvent })
let bytes = 0
for await (const message of onEvent) {
  if (message.event === 'progress') console.log('download:', (bytes += message.data.chunkLength), 'bytes')
}
console.log('download: the channel has ended')
await downloaded

await emit('main-done')
