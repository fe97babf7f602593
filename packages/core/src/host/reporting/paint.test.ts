import { WriteStream } from 'node:tty'
import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { createPaint, getLabelColor } from './paint.js'

afterEach(() => void vi.unstubAllEnvs())

/** A stream that says it is a terminal, or a pipe. */
const createStream = (isTTY: boolean): NodeJS.WriteStream =>
  Object.assign(Object.create(WriteStream.prototype) as NodeJS.WriteStream, { isTTY })

function paintRed(isTTY: boolean, variables: Record<string, string>): string {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS', 'CI']) vi.stubEnv(name, undefined)
  for (const [name, value] of Object.entries({ TERM: 'xterm', ...variables })) vi.stubEnv(name, value)
  return createPaint(createStream(isTTY))('red', 'text')
}

const RED = '\u001b[31mtext\u001b[39m'

test('colors terminals, unless a variable says otherwise', () =>
  rows<[what: string, isTTY: boolean, variables: Record<string, string>, text: string]>([
    ['colors a terminal', true, {}, RED],
    ['does not color a pipe', false, {}, 'text'],
    ['NO_COLOR removes colors', true, { NO_COLOR: '1' }, 'text'],
    ['FORCE_COLOR=0 removes colors', true, { FORCE_COLOR: '0' }, 'text'],
    ['FORCE_COLOR adds colors', false, { FORCE_COLOR: '1' }, RED],
  ])((_what, isTTY, variables, text) => expect(paintRed(isTTY, variables)).toBe(text)))

test('a label has the same color each time, and never that of a level', () => {
  const labels = Array.from({ length: 50 }, (_, i) => `plugin-${i}`)
  const colors = new Set(labels.map(getLabelColor))
  expect(labels.map(getLabelColor)).toEqual(labels.map(getLabelColor))
  expect(colors.size).toBeGreaterThan(4)
  expect([...colors].filter(color => ['red', 'yellow'].includes(color))).toEqual([])
})
