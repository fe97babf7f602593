import { expect, it } from 'vitest'
import { getPlace } from './printable.js'

const failedAt = (place: string): Error =>
  Object.assign(new Error('failed'), { stack: `Error: failed\n    at run (${place})` })

it.each([
  ['file:///app/main.mjs:4:53', '/app/main.mjs:4:53'],
  ['file://other/main.mjs:4:53', 'file://other/main.mjs:4:53'],
  ['file:///app%2Fmain.mjs:4:53', 'file:///app%2Fmain.mjs:4:53'],
  ['file:///app/%:4:53', 'file:///app/%:4:53'],
  ['file://[/main.mjs:4:53', 'file://[/main.mjs:4:53'],
])('getPlace returns the file of %s, also if the URL has no path', (place, shown) => {
  expect(getPlace(failedAt(place))).toBe(shown)
})
