import { expect, describe, it } from 'vitest'
import { codecs } from '../codec/codecs.js'
import { FULL_BATCH_BYTES, FULL_BATCH_VALUES } from './batching.js'
import { Outbox } from './outbox.js'
import { ValueBatch } from './value-batch.js'

const { json } = codecs
const nextTick = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('values of one source', () => {
  const source = {
    createMessage: (value: unknown, index: number, isBatch?: boolean) =>
      ({ jsonrpc: '2.0', method: 'c', params: isBatch ? { index, values: value } : { index, value } }) as const,
  }

  it('share a message, which any other message ends', async () => {
    const bodies: unknown[] = []
    const outbox = new Outbox(({ body }) => bodies.push(body))
    const batch = new ValueBatch(outbox, json)
    batch.add(source, 0, '"a"')
    batch.add(source, 1, '"b"')
    outbox.put(json, '{"id":1}')
    batch.add(source, 2, '"c"')
    batch.add({ ...source }, 0, '"d"')
    await nextTick()
    const values = (index: number, value: object): object => ({
      jsonrpc: '2.0',
      method: 'c',
      params: { index, ...value },
    })
    expect(bodies.map(body => JSON.parse(body as string))).toEqual([
      [values(0, { values: ['a', 'b'] }), { id: 1 }, values(2, { value: 'c' }), values(0, { value: 'd' })],
    ])
  })

  it('are sent before the tick ends when their message is full', () => {
    const counts: number[] = []
    const outbox = new Outbox(({ body }) => counts.push(JSON.parse(body as string).params.values.length as number))
    const batch = new ValueBatch(outbox, json)
    for (let index = 0; index < FULL_BATCH_VALUES; index++) batch.add(source, index, '1')
    for (let index = 0; index < 4; index++) batch.add(source, index, `"${'x'.repeat(FULL_BATCH_BYTES / 4)}"`)
    expect(counts).toEqual([FULL_BATCH_VALUES, 4])
  })
})
