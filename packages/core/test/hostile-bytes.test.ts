// Frontend workers that abuse the transport of large bytes: each loses its own session, and no other is affected.
import { describe, expect, test } from 'vitest'
import { patterns, start } from './start.js'

const worker = (source: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { MessagePort, parentPort } from 'node:worker_threads'
      const isLink = handle => handle instanceof MessagePort && handle !== parentPort
      // To the gate in the isolation pattern.
      const port = process._getActiveHandles().filter(isLink).at(-1)
      const large = (size = 2 ** 16) => new ArrayBuffer(size)
      const frame = (...bytes) => Uint8Array.from(bytes).buffer
      ${source}
      setInterval(() => {}, 1000)`)}`,
  )

describe.each(patterns)('a frontend worker: %s', (_name, app) => {
  test.each<['port' | 'ring', string, string]>([
    [
      'port',
      'posts attachments and never their message',
      'for (let i = 0; i < 5; i++) port.postMessage([5, large(2 ** 26)])',
    ],
    ['port', 'posts small attachments', 'port.postMessage([5, large(10)])'],
    ['port', 'posts a mark without an attachment', 'port.postMessage(frame(2, 0xd6, 0x53, 0, 1, 0, 0))'],
    ['port', 'lies about a length', 'port.postMessage([5, large(), frame(2, 0xd6, 0x53, 0, 1, 0, 1)])'],
    ['port', 'posts an attachment that no message has', 'port.postMessage([5, large(), frame(2, 0x90)])'],
    ['port', 'posts shared memory', 'port.postMessage([5, new SharedArrayBuffer(2 ** 16)])'],
    ['port', 'posts a list without end', 'port.postMessage(Array(2 ** 20).fill(5))'],
    ['ring', 'posts more out of band than allowed', 'for (let i = 0; i < 65; i++) port.postMessage(large(8))'],
    ['ring', 'posts shared memory out of band', 'port.postMessage(new SharedArrayBuffer(8))'],
    ['ring', 'posts an array out of band', 'port.postMessage([large()])'],
  ])('over a %s that %s loses its session, and no other does', async (link, _what, source) => {
    const bus = await start({ app, supervision: { restart: 'temporary' } })
    const client = await bus.connect('tests')
    const fault = new Promise(resolve => bus.on('fault', resolve))
    await bus.open('bad', worker(source), { link, sandbox: 'none' })
    expect(await fault).toMatchObject({ label: 'bad', error: { name: 'BusError' } })
    expect(await client.invoke('add', { a: 1, b: 1 })).toBe(2)
  })
})
