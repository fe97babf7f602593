// A MiB there and back: copied against a raw clone, given away against a raw transfer, sealed against the cipher alone.
import { cipher } from '../arms/cipher.js'
import { isolationPortJson, isolationRingJson, portJson, ringJson } from '../arms/links.js'
import { rawPort } from '../arms/raw-port.js'
import { mebibyte } from '../payloads/bytes.js'
import { latency, rate, type Case, type Scenario } from '../scenario.js'
import type { Loop } from '../task.js'
import { SHORT_SLOT } from './slot.js'

const thereAndBack = (loop: Loop): Case => ({
  id: 'mebibyte',
  title: '1 MiB',
  task: { loop },
  payload: mebibyte(),
  figures: [latency('p50', 'there and back'), rate('rate', 'a second')],
})

export const copied = (): Scenario => ({
  id: 'copied',
  title: '1 MiB of bytes there and back, copied',
  about: 'bytes that both sides keep; the reference is a raw structured clone',
  arms: [rawPort, portJson, ringJson],
  cases: [thereAndBack('calls')],
  rows: 'arms',
  ...SHORT_SLOT,
})

export const given = (): Scenario => ({
  id: 'given',
  title: '1 MiB of bytes there and back, given away',
  about: 'bytes that go with `{ transfer }`, and come back with `transfer()`; the reference transfers an ArrayBuffer',
  arms: [rawPort, portJson, ringJson],
  cases: [thereAndBack('giving')],
  rows: 'arms',
  ...SHORT_SLOT,
})

export const sealed = (): Scenario => ({
  id: 'sealed',
  title: '1 MiB of bytes there and back, sealed',
  about: 'through the gate; the reference encrypts and decrypts the same bytes in one thread, and sends nothing',
  arms: [cipher, isolationPortJson, isolationRingJson],
  cases: [thereAndBack('calls')],
  rows: 'arms',
  ...SHORT_SLOT,
})
