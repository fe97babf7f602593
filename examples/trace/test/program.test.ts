// The program writes a trace that is valid JSON, and has each side of each call once.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { TraceEvent } from '../record-trace.js'

const cwd = `${import.meta.dirname}/..`

test('npm start writes the calls of host, core and the frontend', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['start.js'], { cwd, timeout: 60_000 })
  expect(stdout).toContain('run.trace.json')
  const events = JSON.parse(readFileSync(`${cwd}/run.trace.json`, 'utf8')) as TraceEvent[]
  const threads = new Map(events.filter(({ ph }) => ph === 'M').map(event => [event['tid'], event['args']]))
  expect([...threads.values()]).toEqual(
    expect.arrayContaining([{ name: 'host' }, { name: 'core' }, { name: 'main' }]) as unknown,
  )
  const count = (cat: string, ph: string): number =>
    events.filter(event => event.name === 'greet' && event['cat'] === cat && event.ph === ph).length
  expect(['b', 'e', 'X'].map(ph => count('invoke', ph))).toEqual([2, 2, 0])
  expect(['b', 'e', 'X'].map(ph => count('command', ph))).toEqual([2, 2, 2])
  // The call that transfers the trace is not recorded by its caller.
  expect(events.filter(event => event.name === 'trace' && event['cat'] === 'invoke')).toEqual([])
})
