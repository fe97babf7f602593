// Programs without a wall, which no kernel ends with their host.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { startProgram } from '../../src/launchers.js'
import { getChildren } from '../support/get-children.mjs'
import { isRunning } from '../support/processes.js'
import { fixture } from '../support/start.js'

test.runIf(process.platform === 'linux')('a program and what it starts end with its host, however this ends', () =>
  rows(['SIGKILL', 'SIGTERM', 'process.exit'] as const)(async end => {
    const host = spawn(process.execPath, [fixture('sandboxes/program/host.mjs').pathname, 'marker', 'none'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const pid = Number((await once(host.stdout, 'data'))[0])
    const pids = [pid, ...getChildren(pid)]
    expect(pids.map(isRunning)).toEqual([true, true, true])
    if (end === 'process.exit') host.stdin.end()
    else host.kill(end)
    await expect.poll(() => pids.filter(isRunning)).toEqual([])
  }),
)

test.runIf(process.platform === 'linux')(
  'a program that exits ends what it has started, whose output was read',
  async () => {
    const args = ['-c', 'sleep 1000 & echo $!; exit 3']
    const { stdout, exited } = await startProgram({ command: 'sh', args, wall: 'none' })
    const inner = Number((await once(stdout, 'data'))[0])
    expect(await exited).toMatchObject({ code: 3, signal: null })
    await expect.poll(() => isRunning(inner)).toBe(false)
  },
)

test.runIf(process.platform === 'linux')(
  'a program has ended once it exits, whatever a daemon of it does with its output',
  () =>
    rows<[daemon: string, says: RegExp]>([
      ['exec sleep 1000', /^$/],
      ['exec yes', /^y/],
      [`exec ${process.execPath} -e 'setInterval(() => console.log(1), 1)'`, /^1?/],
    ])(async (daemon, says) => {
      const args = ['-c', `setsid sh -c 'echo $$; ${daemon.replaceAll("'", `'\\''`)}' & read -r _; exit 3`]
      const { stdin, stdout, exited } = await startProgram({ command: 'sh', args, wall: 'none' })
      const chunks = stdout.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>
      const [pid = '', ...first] = ((await chunks.next()).value as string).split('\n')
      stdin.end('\n')
      let rest = first.join('\n')
      // It ends without an error.
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
        rest = (rest + next.value).slice(0, 9)
      expect(await exited).toMatchObject({ code: 3, signal: null })
      expect(rest).toMatch(says)
      process.kill(Number(pid), 'SIGKILL')
    }),
)
