// The command in every situation of a repository, ended at each step, and twice at once: nothing changes, not even the time of a file.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { checkSituation, createBox, type Observed, SITUATIONS } from '../situations.js'

const TIMEOUT_MS = 900_000

test('changes nothing in any situation of a repository', () => rows(SITUATIONS)(checkSituation), TIMEOUT_MS)

test(
  'changes nothing if it is killed at any step',
  async () => {
    const box = createBox()
    const [counter, bin] = ['calls', 'wrapped'].map(name => join(box.temporary, '..', name)) as [string, string]
    const real = box.bash(`mkdir ${bin}; command -v git`).trim()
    // Ends the process that starts git for the nth time.
    const wrapper = `echo >> ${counter}; [ $(wc -l < ${counter}) = "$AT" ] && kill -$SIGNAL $PPID; exec ${real} "$@"`
    writeFileSync(join(bin, 'git'), `#!/bin/sh\n${wrapper}\n`, { mode: 0o755 })
    box.bash("printf 'kill -$SIGNAL $PPID; sleep 1; echo work 1 ms\n' > ../kill.sh")
    const PATH = bin + delimiter + box.bash('printf %s "$PATH"')
    /** Its own, and the first of the build. */
    const calls = Array.from({ length: 10 }, (_, at): [string, Record<string, string>] => [
      `git ${at + 1}`,
      { AT: String(at + 1) },
    ])
    const steps = new Map([
      ...calls,
      ['the build', { PREPARE: 'kill -$SIGNAL $PPID' }],
      ['the program', { PROGRAM: `sh ${box.path}/kill.sh` }],
    ])
    const codes: (number | string)[] = []
    await rows([...steps.keys()].flatMap(step => ['KILL', 'TERM'].map(signal => [step, signal] as const)))(
      (step, SIGNAL) => {
        for (const path of [counter, box.report]) rmSync(path, { force: true })
        box.bash('compare', { SIGNAL, PATH, ...steps.get(step) })
        const [{ code, changed, stderr }] = box.read() as [Observed]
        codes.push(code)
        expect(changed, stderr).toEqual([])
        // Nobody can clear up after SIGKILL.
        if (SIGNAL === 'TERM') expect(readdirSync(box.temporary)).toEqual([])
        for (const name of readdirSync(box.temporary))
          rmSync(join(box.temporary, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
      },
    )
    box.bash('git fsck --no-dangling --no-progress 2>&1')
    const ends = Array.from({ length: calls.length - 1 }, () => ['SIGKILL', 143]).flat()
    // The last git belongs to the build, which then fails.
    expect(codes).toEqual([...ends, 2, 2, 'SIGKILL', 143, 'SIGKILL', 143])
  },
  TIMEOUT_MS,
)

test('runs several times at once in one repository', () => {
  const box = createBox()
  box.bash('for at in 1 2 3; do REPORT="$REPORT.$at" compare & done; wait; cat "$REPORT".? > "$REPORT"')
  expect(box.read()).toMatchObject(Array.from({ length: 3 }, () => ({ code: 0, changed: [] })))
  expect(readdirSync(box.temporary)).toEqual([])
})
