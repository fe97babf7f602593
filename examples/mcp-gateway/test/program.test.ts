// The program prints what the README shows, and ends by itself.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { hasWall } from './wall.js'

const cwd = `${import.meta.dirname}/..`
const [, output] = /^```text\n\$ npm start --silent\n([^]*?)^```$/m.exec(readFileSync(`${cwd}/README.md`, 'utf8')) ?? []

test.runIf(hasWall)(
  'npm start prints what the README shows',
  async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['start.js'], { cwd, timeout: 110_000 })
    expect([stdout, stderr]).toEqual([output, ''])
  },
  120_000,
)
