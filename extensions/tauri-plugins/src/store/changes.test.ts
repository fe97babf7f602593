import { expect, test } from 'vitest'
import { StoreContent } from './changes.js'

test('a store has at most 10 000 keys', () => {
  const content = new StoreContent(1_000_000)
  for (let key = 0; key < 10_000; key++) content.set(String(key), null)
  expect(() => content.set('more', null)).toThrow('Failed to serialize store. It would have more than 10000 keys.')
  content.set('1', 'changed')
  content.delete('2')
  expect(content.set('more', 1)).toEqual({ key: 'more', value: 1, exists: true })
})
