// The app of this example as it is started: its frontend, its capabilities and its isolation app are those of a Tauri project.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

test('node start.js prints what the README shows', () => {
  const printed = execFileSync(process.execPath, ['start.js'], { cwd: `${import.meta.dirname}/..`, encoding: 'utf8' })
  expect(printed.trim().split('\n')).toEqual([
    'This is the window main.',
    'The title of the note: Buy milk',
    '| Buy milk',
    '| and bread',
    '| and butter',
    'milk.md has 30 bytes',
    expect.stringMatching(/^\/etc\/hostname → forbidden path: \/etc\/hostname, maybe it is not allowed on the scope/),
    expect.stringMatching(/^sallyport-notes\/..\/secret → .*rejected by the isolation hook/),
    'Notes so far: 1',
  ])
})
