import { createSecretKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { openQuestion, sealQuestion } from './question.js'
import { openContinuation, sealContinuation } from './sealed-continuation.js'

const key = createSecretKey(new Uint8Array(32).fill(7))

test('a question is opened as it was, and each has an id of its own', () => {
  const content = { data: { at: new Date(0), n: 1n }, continuation: new Uint8Array([1, 2]) }
  const [first, second] = [sealQuestion(key, content), sealQuestion(key, content)].map(each => openQuestion(key, each))
  expect(first).toMatchObject({ content })
  expect(first!.id).not.toBe(second!.id)
})

test('a question is no continuation, and a continuation no question', () => {
  const header = { id: 'a'.repeat(32), engine: 'x', code: 'x', label: 'x', isNamed: false, hasProcess: false }
  const counts = { calls: 0, received: 0 }
  const continuation = { header: { ...header, ...counts }, interrupted: [], snapshot: new Uint8Array(1) }
  const refused = { reason: 'InvalidParams', message: expect.stringContaining('was refused') as string }
  expect(() => openContinuation(key, sealQuestion(key, null))).toThrow(expect.objectContaining(refused) as Error)
  expect(() => openQuestion(key, sealContinuation(key, continuation))).toThrow(
    expect.objectContaining(refused) as Error,
  )
})
