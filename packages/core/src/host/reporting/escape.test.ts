import { expect, test } from 'vitest'
import { escapeLine, escapeText } from './escape.js'

test('escapes the control characters of terminals without changing the JSON', () => {
  const command = '\u009b2J\u007f\u0085\u2028\u2029é\u001b[2J\n\u202e\u200b\u{e0041}'
  const line = escapeLine(JSON.stringify({ command }))
  // oxlint-disable-next-line no-control-regex
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\p{Cf}]/u)
  expect(line).toContain('é')
  expect(JSON.parse(line)).toEqual({ command })
})

test('escapes characters that hide or reorder the text of a terminal, but not tabs and joiners', () => {
  expect(escapeText('a\u202eb\u200bc\u{e0041}d\te\u200df')).toBe(
    String.raw`a\u202eb\u200bc\udb40\udc41d` + '\te\u200df',
  )
})
