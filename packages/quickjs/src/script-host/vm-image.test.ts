import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { createImage } from '../../../../scripts/bundle-image.mjs'
import { rows } from '../../../../scripts/testing.js'
import { Machine, type MachineEvents } from './machine.js'
import { readBaseImage, readSnapshot, writeSnapshot } from './vm-image.js'
import { prepareVms } from './vm-pool.js'

const KIB = 1024
const MIB = 2 ** 20
/** As fast as can be: the default takes seconds for what is refused by its size. */
const compress = (bytes: Uint8Array): Promise<Uint8Array> =>
  promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
const { snapshot } = await prepareVms()
const base = snapshot.memory

/** A script that has run the code, and waits. */
async function start(code: string): Promise<Machine> {
  const machine = await Machine.start({ memory: 32, time: 60_000 })
  onTestFinished(() => machine.dispose())
  const ended = (error: Error): never => {
    throw error
  }
  const events: Partial<MachineEvents> = { receive() {}, sendFrame: () => false, waits() {}, lasts() {}, ended }
  machine.connect({ ...events, isTerminated: () => false } as MachineEvents)
  const client = { label: 'main', codec: 'json', maxInFlight: 1, overflow: 'wait', seed: [1, 2, 3, 4] }
  machine.begin(JSON.stringify(client), undefined)
  machine.evaluateModule(code, 'main.js')
  return machine
}

const objects = (count: number): string => `globalThis.all = Array.from({ length: ${count} }, (_, n) => ({ n }))`

test('a snapshot has what a script has changed, and is read as the memory that it had', () =>
  rows({
    nothing: ['', 20 * KIB],
    'a small program': ['const sum = [1, 2, 3].map(n => n * 2); globalThis.wait = async () => sum', 24 * KIB],
    '1,000 objects': [objects(1000), 76 * KIB],
    '100,000 objects': [objects(100_000), 4 * MIB],
    'all of its memory': [
      'globalThis.all = []; try { for (;;) all.push(new Uint8Array(65_536).fill(7)) } catch {} all.length = 100',
      MIB,
    ],
    'as it began': ['globalThis.x = new Array(1e5).fill(1); globalThis.x = undefined', 200 * KIB],
  } as Record<string, [string, number]>)(async ([code, maxBytes]) => {
    const machine = await start(code)
    const image = machine.capture()!
    const memory = image.memory.slice()
    const written = await writeSnapshot(image, base)
    expect(written.length).toBeLessThanOrEqual(maxBytes)
    const read = await readSnapshot(written, base, 32)
    expect({ ...read, memory: 0 }).toEqual({ ...image, memory: 0 })
    expect(Buffer.compare(read.memory, memory)).toBe(0)
  }))

test('what is no snapshot is refused, however much it would be', async () => {
  const image = (await start('')).capture()!
  const written = await writeSnapshot(image, base)
  const unreadable = { reason: 'LoadFailed' }
  await rows({
    nothing: [new Uint8Array(), unreadable],
    'a part of it': [written.subarray(0, -1), unreadable],
    'half of it': [written.subarray(0, written.length / 2), unreadable],
    'other bytes': [new Uint8Array(1000).fill(0xff), unreadable],
    'no bytes inside': [await compress(new Uint8Array()), unreadable],
    'too many handles': [await compress(new Uint8Array(base.length + 16).fill(0xff)), unreadable],
    'less memory than a VM has': [await compress(new Uint8Array(16 + base.length - 65_536)), unreadable],
    'memory that is no whole number of pages': [await compress(new Uint8Array(20 + base.length)), unreadable],
    'more than its limit': [
      await compress(new Uint8Array(48 * MIB)),
      { reason: 'Overloaded', data: { limit: 'memory', max: 1 } },
    ],
  } as Record<string, [Uint8Array, object]>)(async ([bytes, error]) => {
    await expect(readSnapshot(bytes, base, 1)).rejects.toMatchObject(error)
  })
})

test('each build has the same image, in which no host or time is left', async () => {
  const make = (): Promise<Uint8Array> =>
    createImage(new URL('../..', import.meta.url).pathname, 'globalThis.at = Date.now()', [])
  expect(await make()).toEqual(await make())
})

test('the image and a VM that was instantiated are all that a VM begins with', async () => {
  const { pages, memoryBytes } = await readBaseImage()
  expect(memoryBytes).toBe(base.length)
  for (const { at, content } of pages) expect(Buffer.compare(base.subarray(at, at + content.length), content)).toBe(0)
})
