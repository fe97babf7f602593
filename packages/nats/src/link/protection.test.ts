// What is protected comes out as it was, once and in order; what is forged or replayed is dropped, and loss is told.
import { describe, expect, it } from 'vitest'
import { protectionOf } from '../../test/link-pair.js'

describe.each([
  ['signed', false],
  ['encrypted', true],
])('%s messages', (_name, cipher) => {
  it('come out as they were, in order', () => {
    const [from, to] = [protectionOf('frontend', cipher), protectionOf('core', cipher)]
    for (const text of ['a', '', 'b'.repeat(300_000)])
      expect(Buffer.from(to.open(from.seal(Buffer.from(text)))!).toString()).toBe(text)
  })
})
