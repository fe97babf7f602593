import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createThreadClock } from './machine.js'

test('CPU time passes while a thread runs, whether the kernel counts it or not', () =>
  rows([
    ['counts', undefined],
    ['does not count', '0 0 0\n'],
    ['says something else', 'none\n'],
    ['has no such file', null],
  ])((_, content) => {
    const directory = mkdtempSync(join(tmpdir(), 'sallyport-clock-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'schedstat')
    if (content) writeFileSync(file, content)
    const read = createThreadClock(content === undefined ? undefined : file)
    const before = read()
    let reads = 0
    while (read() <= before && ++reads < 1e6);
    expect(read()).toBeGreaterThan(before)
  }))
