// The command `sallyport doctor` as it is installed, on this machine, and on one without its walls.
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { type Diagnosis, listSandboxes } from '../../../process/src/doctor.js'
import { findWall } from '../../../process/src/launchers/find-wall.js'
import { LAUNCHERS } from '../../../process/src/launchers/table.js'
import { findProgram } from '../../../process/src/launchers/programs.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { bin, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  bin: Record<string, string>
  version: string
}
const command = join(root, bin['sallyport']!)
const { launcher } = await findWall()
const bwrap = findProgram('bwrap')

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'doctor-'))))
afterEach(() => rmSync(directory, { recursive: true }))

/** As Docker starts a container without `--init`. */
const UNSHARE = ['--user', '--map-root-user', '--pid', '--fork']
const canUnshare = spawnSync('unshare', [...UNSHARE, 'true']).status === 0

interface Result {
  code: number
  stdout: string
  stderr: string
}

function runProgram(program: string, args: readonly string[], env = process.env): Promise<Result> {
  return new Promise(resolve => {
    execFile(program, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

const run = (...args: string[]): Promise<Result> => runProgram(process.execPath, [command, ...args])

const parse = ({ stdout }: Result): Diagnosis => JSON.parse(stdout) as Diagnosis

const getWall = ({ walls }: Diagnosis, name: string) => walls.find(wall => wall.name === name)!

test('ends with the answer, and fits a terminal of 80 columns', async () => {
  const narrow = ['--import', 'data:text/javascript,process.stdout.columns=80', command, 'doctor']
  const { stdout } = await runProgram(process.execPath, narrow)
  // Paths are not broken.
  const isLong = (line: string): boolean => line.length > 80 && line.trim().includes(' ')
  expect(stdout.split('\n').filter(isLong)).toEqual([])
  if (launcher) expect(stdout).toMatch(/sandbox: .*wall: 'required' }\n$/)
})

test('prints what works here, and exits with 0 only if a process in a wall does', async () => {
  const { code, stdout, stderr } = await run('doctor')
  expect({ code, stderr }).toEqual({ code: launcher ? 0 : 1, stderr: '' })
  expect(stdout).toMatch(new RegExp(`^Node\\.js ${process.version}, `))
  expect(stdout).toMatch(launcher ? /wall: 'required' } works here/ : /wall: 'required' } does not start here\.$/m)
  if (launcher) {
    const tmp = launcher.holds?.includes('tmp') ? 'by the size of a file system in memory' : 'not limited here'
    expect(stdout).toContain(`  tmp: ${tmp}\n`)
    if (launcher.bindsWrites) expect(stdout).toContain('  write: no quota of bytes or files: ')
  } else expect(stdout).not.toContain('Limits of a process')
  // The line to copy.
  if (launcher) expect(stdout.trimEnd().split('\n').at(-1)).toBe("sandbox: { kind: 'process', wall: 'required' }")
})

test('--json has the wall and the network that a host would have', async () => {
  const result = await run('doctor', '--json')
  const diagnosis = parse(result)
  expect(diagnosis.isReady).toBe(result.code === 0)
  expect(diagnosis.walls.find(({ works }) => works)?.name).toBe(launcher?.name)
  const closesNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net')
  expect(diagnosis.node).toMatchObject({ version: process.version, closesNetwork })
  const getNetwork = (name: string) => diagnosis.sandboxes.find(({ sandbox }) => sandbox === name)?.network
  expect(getNetwork("'permission'")).toBe(closesNetwork ? 'closed' : 'open')
  expect(getNetwork("'process'")).toBe(closesNetwork || launcher ? 'closed' : 'open')
})

test.runIf(canUnshare)('as process 1 it asks for a process that reaps others', async () => {
  const { stdout } = await runProgram('unshare', [...UNSHARE, process.execPath, command, 'doctor'])
  expect(stdout).toContain('\nProcess 1 is Node.js, which reaps no orphans: ')
  expect((await run('doctor')).stdout).not.toContain('Process 1')
})

test.runIf(process.platform === 'linux')('a bubblewrap that is refused is explained', async () => {
  const path = join(directory, 'bwrap')
  writeFileSync(path, '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2; exit 1\n')
  chmodSync(path, 0o755)
  const env = { ...process.env, PATH: [directory, process.env['PATH']].join(delimiter) }
  const result = await runProgram(process.execPath, [command, 'doctor', '--json'], env)
  const diagnosis = parse(result)
  expect(getWall(diagnosis, 'bubblewrap').reason).toMatch(
    /^bubblewrap is not available: Node could not be started in it: .* Allow user namespaces/,
  )
  expect(getWall(diagnosis, 'startProgram').works).toBe(false)
  expect(result.code).toBe(getWall(diagnosis, 'landlock').works ? 0 : 1)
})

test.runIf(launcher?.name === 'bubblewrap')('without bubblewrap it names the command that installs it', async () => {
  // Another directory in PATH is not enough, because programs are also looked up in those of the system.
  const hidden = ['--dev-bind', '/', '/', '--ro-bind', '/dev/null', bwrap!, process.execPath, command, 'doctor']
  const { code, stdout } = await runProgram(bwrap!, hidden)
  expect(stdout).toContain(
    '\n  bubblewrap is not available: bwrap was not found. Install bubblewrap 0.8 or later (apt-get install bubblewrap)',
  )
  const hasOther = /^ {2}landlock: works,/m.test(stdout)
  expect(code).toBe(hasOther ? 0 : 1)
  expect(stdout).toContain(hasOther ? 'in a process in landlock' : 'does not start')
})

const REFUSING = '#!/bin/sh\necho "docker: No daemon. Is the daemon running?" >&2; exit 1\n'

test.runIf(launcher?.name === 'bubblewrap')(
  'the last line is the best sandbox that works here, and the exit code is 0 if one does',
  () =>
    rows<[what: string, main: string, hasDocker: boolean, code: number, end: RegExp]>([
      // This package depends on Deno, and the one that is written has nothing.
      [
        'only Deno',
        command,
        false,
        1,
        /wall: 'required' } does not start here, but { kind: 'process', wall: await deno\(\) } does, .*\napt-get install bubblewrap$/,
      ],
      [
        'only Docker',
        join(directory, 'main.mjs'),
        true,
        0,
        /wall: await docker\(\) } works here\.\nsandbox: { kind: 'process', wall: await docker\(\) }$/,
      ],
      ['nothing', join(directory, 'main.mjs'), false, 1, /does not start here\.\napt-get install bubblewrap$/],
    ])(async (what, main, hasDocker, code, end) => {
      writeFileSync(join(directory, 'main.mjs'), `await import(${JSON.stringify(String(pathToFileURL(command)))})`)
      writeFileSync(join(directory, 'docker'), hasDocker ? `#!/bin/sh\necho ${process.version}\n` : REFUSING)
      chmodSync(join(directory, 'docker'), 0o755)
      const hidden = ['bwrap', 'setpriv'].flatMap(name => ['--ro-bind', '/dev/null', findProgram(name)!])
      const env = { ...process.env, PATH: [directory, process.env['PATH']].join(delimiter) }
      const args = ['--dev-bind', '/', '/', ...hidden, process.execPath, main, 'doctor']
      const result = await runProgram(bwrap!, args, env)
      expect(result.stdout.trimEnd()).toMatch(end)
      expect(result.code).toBe(code)
      expect(result.stdout.includes('Limits of a process in a wall')).toBe(what === 'only Deno')
      if (!hasDocker) expect(result.stdout).toContain('Is the daemon running? Start the daemon')
    }),
)

test('Deno is no wall for hostile code, and none for scripts', () => {
  const launcher = { name: 'deno', launch: () => ({ command: '', args: [] }) }
  const kind = LAUNCHERS.find(({ name }) => name === 'deno')!
  const [recommended, named, scripts] = listSandboxes([{ ...kind, launcher }], false)
  expect(recommended).toMatchObject({ runs: 'does not start' })
  expect(named).toMatchObject({ sandbox: expect.stringContaining('deno()'), runs: 'in a process in deno', holds: 'no' })
  expect(scripts).toMatchObject({ runs: 'does not start', network: '-', holds: '-' })
})

test('sallyport exits with a code, and says why', () =>
  rows<[name: string, args: string[], code: number, out: RegExp]>([
    ['0 and its help', ['--help'], 0, /^sallyport <command>.*doctor.*acl/s],
    ['0 and the help of doctor', ['doctor', '--help'], 0, /^sallyport doctor \[options\].*--json/s],
    ['0 and the help of acl', ['acl', '--help'], 0, /^sallyport acl \[tauri\.conf\.json.*\$ sallyport acl src-tauri/s],
    ['0 and its version', ['--version'], 0, new RegExp(`^sallyport ${version.replaceAll('.', '\\.')}$`)],
    ['2 without a command', [], 2, /^sallyport: A command is missing: doctor, acl, help\. Run sallyport --help$/],
    ['2 for an unknown command', ['doktor'], 2, /^sallyport: Unknown command 'doktor' \(did you mean "doctor"\?\)\./],
    [
      '2 for an unknown option',
      ['doctor', '--jsn'],
      2,
      /^sallyport doctor: Unknown option '--jsn' \(did you mean "--json"\?\)\. Run sallyport doctor --help$/,
    ],
    ['2 for an argument', ['doctor', 'x'], 2, /^sallyport doctor: Unknown argument 'x'\. Run sallyport doctor --help$/],
    ['2 for a missing project', ['acl', 'nowhere'], 2, /^sallyport acl: there is no file or directory .*nowhere$/],
  ])(async (_name, args, code, out) => {
    const { stdout, stderr, ...result } = await run(...args)
    expect(result.code).toBe(code)
    const [text, other] = code === 0 ? [stdout, stderr] : [stderr, stdout]
    expect(text.trimEnd()).toMatch(out)
    expect(other).toBe('')
  }))
