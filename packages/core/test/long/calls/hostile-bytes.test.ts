// Frontend workers that abuse the transport of large bytes: each loses its own session, and no other is affected.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBus, type Bus, type BusError, type Client } from '../../../src/index.js'
import { fixture, patterns, withLinkPort } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const worker = (source: string): URL =>
  withLinkPort(`const large = (size = 2 ** 16) => new ArrayBuffer(size)
    const frame = (...bytes) => Uint8Array.from(bytes).buffer
    ${source}`)

describe.each(patterns)('a frontend worker: %s', (_name, app) => {
  let bus: Bus
  let other: Client
  beforeAll(async () => {
    bus = await createBus({ core: fixture('core.mjs'), log: false, app, supervision: { restart: 'temporary' } })
    other = await bus.connect('tests')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('loses only its own session, whatever it posts', () =>
    rows([
      ['posts attachments and never their message', 'for (let i = 0; i < 5; i++) port.postMessage([large(2 ** 26)])'],
      ['posts a small attachment', 'port.postMessage([large(10)]); port.postMessage(frame(2, 0x90))'],
      ['posts a mark without an attachment', 'port.postMessage(frame(2, 0xd6, 0x53, 0, 1, 0, 0))'],
      ['lies about a length', 'port.postMessage([large()]); port.postMessage(frame(2, 0xd6, 0x53, 0, 1, 0, 1))'],
      ['posts an attachment that no message has', 'port.postMessage([large()]); port.postMessage(frame(2, 0x90))'],
      ['posts shared memory', 'port.postMessage([new SharedArrayBuffer(2 ** 16)])'],
      ['posts a list without end', 'port.postMessage(Array(2 ** 20).fill(large(1)))'],
    ])(async (_what, source) => {
      const fault = new Promise<BusError>(resolve =>
        bus.on('fault', ({ label, error }) => label === 'bad' && resolve(error)),
      )
      // Its violation can come before the report that it has loaded: then `open` has the error.
      const opened = bus.open('bad', worker(source), { link: 'port', sandbox: 'none' }).then(() => fault)
      expect(await opened.catch((error: unknown) => error)).toMatchObject({ name: 'BusError' })
      expect(await other.invoke('add', { a: 1, b: 1 })).toBe(2)
      // It can have ended meanwhile.
      await bus.closeFrontend('bad').catch(() => {})
    }))
})
