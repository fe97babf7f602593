import { type readTextFile as ReadTextFile } from '@tauri-apps/plugin-fs'
import { EXPECTED, TRIALS } from './trials.js'
import { describe } from 'vitest'
import { runTrials } from './run-trials.js'

runTrials('permission', 'brownfield')

describe('guests of version 2.0', () => {
  const {
    size: _size,
    startAccessingSecurityScopedResource: _start,
    stopAccessingSecurityScopedResource: _stop,
    ...shared
  } = EXPECTED

  // Tauri's plugin of today sends the oldest package bytes, although that expects a string, or a line and a flag.
  const expected = {
    ...shared,
    readTextFile: [...Buffer.from('one\ntwo\n')],
    readTextFileLines: 'TypeError',
    writeFile: [1, 2, 255],
  }
  const trials: typeof TRIALS = {
    ...TRIALS,
    async readTextFile(api, { dir }) {
      const { readTextFileUndecoded } = api as unknown as { readTextFileUndecoded: typeof ReadTextFile }
      return [...new Uint8Array((await readTextFileUndecoded(`${dir}/a.txt`)) as unknown as ArrayBuffer)]
    },
    async readTextFileLines(api, { dir }) {
      const lines = await api.readTextFileLines(`${dir}/a.txt`)
      return lines.next().catch(error => error.name)
    },
    async writeFile(api, { dir }) {
      await api.writeFile(`${dir}/a.txt`, new Uint8Array([1, 2, 255]))
      return [...(await api.readFile(`${dir}/a.txt`))]
    },
  }

  runTrials('permission', 'brownfield', 'guest-2.0.mjs', expected, trials)
})
