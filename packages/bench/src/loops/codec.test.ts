import { expect, test } from 'vitest'
import { usualCall } from '../payloads/payloads.js'
import { createCodecLoop, type MeasuredCodec } from './codec.js'
import { prepareCall } from './subject.js'

const calls = usualCall.calls.map(prepareCall)

test.each<MeasuredCodec>(['clone', 'json', 'msgpack', 'msgpackr'])(
  '%s reads what it wrote, alone and in a batch',
  async codec => {
    const measure = await createCodecLoop(codec)
    for (const inFlight of [1, 64]) {
      expect(await measure({ loop: 'codec', ms: 1, inFlight }, calls)).toEqual({ each: expect.any(Number) })
    }
  },
)
