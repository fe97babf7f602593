// A MiB there and back: copied against a raw clone, sealed against the cipher alone.
import { cipher } from '../../arms/cipher.js'
import { isolationPortJson, isolationRingJson, portJson, ringJson } from '../../arms/links.js'
import { rawPort } from '../../arms/raw-port.js'
import { mebibyte } from '../../payloads/bytes.js'
import { latency, rate, type Case, type Scenario } from '../../scenario.js'
import { SHORT_SLOT } from './slot.js'

const thereAndBack = (): Case => ({
  id: 'mebibyte',
  title: '1 MiB',
  task: { loop: 'calls' },
  payload: mebibyte(),
  figures: [latency('p50', 'there and back'), rate('rate', 'a second')],
})

export const copied = (): Scenario => ({
  id: 'link-copied',
  title: 'Links: 1 MiB of bytes there and back, copied',
  about: 'bytes that both sides keep; the reference is a raw structured clone',
  arms: [rawPort, portJson, ringJson],
  cases: [thereAndBack()],
  rows: 'arms',
  ...SHORT_SLOT,
})

export const sealed = (): Scenario => ({
  id: 'link-sealed',
  title: 'Links: 1 MiB of bytes there and back, sealed',
  about: 'through the gate; the reference encrypts and decrypts the same bytes in one thread, and sends nothing',
  arms: [cipher, isolationPortJson, isolationRingJson],
  cases: [thereAndBack()],
  rows: 'arms',
  ...SHORT_SLOT,
})
