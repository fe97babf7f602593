// A core module that writes down each secret that is made in its thread, to a file and nowhere else.
import { defineCore } from '@sallyport/core'
import crypto from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dumpMemory } from './dump-memory.mjs'

const directory = process.env.KEY_HUNT
const { hkdfSync, randomBytes } = crypto
const note = (kind, bytes) => appendFileSync(`${directory}/secrets`, `${kind} ${Buffer.from(bytes).toString('hex')}\n`)
crypto.hkdfSync = (...args) => {
  const derived = hkdfSync(...args)
  if (derived.byteLength === 32) note(String(args[3]) === 'sallyport/1 session' ? 'secret' : 'key', derived)
  return derived
}
crypto.randomBytes = size => {
  const bytes = randomBytes(size)
  if (size === 32) note('master', bytes)
  return bytes
}
syncBuiltinESMExports()

export default defineCore({
  commands: {
    add: ({ a, b }) => a + b,
    dump: () => dumpMemory(`${directory}/core`),
  },
})
