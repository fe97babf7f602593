// Bytes far above the size of a ring: calls/bytes.test.ts has those up to 17 MiB.
import { expect, test } from 'vitest'
import { isolation, start } from '../../support/start.js'

test.each([
  ['brownfield', {}],
  ['isolation', isolation('judge')],
] as const)('200 MiB arrive in core and back: %s', async (_name, app) => {
  // To encrypt and parse so many bytes takes longer than a heartbeat allows if the machine is busy.
  const bus = await start({ ...app, supervision: { heartbeat: false } })
  const client = await bus.connect('tests')
  const size = 200 * 2 ** 20
  const bytes = new Uint8Array(size).fill(3)
  const { data } = await client.invoke<{ data: Uint8Array }>('echo', { data: bytes }, { transfer: [bytes.buffer] })
  expect([data.length, data[0], data.at(-1)]).toEqual([size, 3, 3])
})
