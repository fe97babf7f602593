// Launchers on a machine that they don't work on: programs of the test are in the place of those of the system.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { bubblewrap } from './bubblewrap.js'
import { docker } from './docker.js'
import { landlock } from './landlock.js'
import { type LaunchInfo, LauncherUnavailable } from './launcher.js'
import { findProgram, getSystemPath } from './programs.js'

const directory = mkdtempSync(join(tmpdir(), 'programs-'))
afterAll(() => rmSync(directory, { recursive: true }))

function createProgram(name: string, script: string): string {
  const path = join(directory, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const isLinux = process.platform === 'linux'

test.runIf(!isLinux)('both need Linux', async () => {
  for (const create of [bubblewrap, landlock]) await expect(create()).rejects.toThrow(LauncherUnavailable)
})

test('a program of a package is not taken for one of the system, unless the user has named it', () => {
  const packages = join(directory, 'own/node_modules/.bin')
  mkdirSync(packages, { recursive: true })
  createProgram('own/node_modules/.bin/some-wall', '')
  vi.stubEnv('PATH', [packages, directory].join(delimiter))
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(findProgram('some-wall')).toBeUndefined()
  expect(getSystemPath()).toBe(directory)
  expect(findProgram('some-wall', process.env['PATH'])).toBe(join(packages, 'some-wall'))
})

test('both refuse wrong limits', () =>
  rows([
    [{ cpu: 5 }, 'unknown option "cpu" (did you mean "cpus"?)'],
    [{ cpus: 0 }, 'cpus must be a number of CPU cores, from 0.01'],
  ])(async (options, message) => {
    for (const create of [bubblewrap, landlock]) await expect(create(options as object)).rejects.toThrow(message)
  }))

test('bubblewrap refuses wrong options of its own', () =>
  rows([
    [{ uid: 'root' }, 'uid must be the number of a user'],
    [{ bwrap: '' }, 'bwrap must be the path of a program'],
  ])((options, message) => expect(bubblewrap(options as object)).rejects.toThrow(message)))

describe.runIf(isLinux)('bubblewrap', () => {
  test('is unavailable without its program', async () => {
    const create = () => bubblewrap({ bwrap: '/none/bwrap' })
    await expect(create).rejects.toThrow(LauncherUnavailable)
    await expect(create).rejects.toThrow(
      'bubblewrap is not available: /none/bwrap was not found. Install bubblewrap 0.8 or later (apt-get install bubblewrap)',
    )
  })

  test('is unavailable if its path is a directory', () =>
    expect(bubblewrap({ bwrap: import.meta.dirname })).rejects.toThrow('was not found. Install bubblewrap'))

  test('is unavailable if programs may not make namespaces, with how to allow it', async () => {
    const text = 'bwrap: No permissions to create new namespace'
    const bwrap = createProgram('refusing', `echo "${text}" >&2; exit 1`)
    await expect(bubblewrap({ bwrap })).rejects.toThrow(
      `bubblewrap is not available: Node could not be started in it: ${text}. Allow user namespaces: in a container with`,
    )
  })

  test('is unavailable if its program does something else', async () => {
    const bwrap = createProgram('other', 'echo v0.0.0')
    await expect(bubblewrap({ bwrap })).rejects.toThrow(
      'Node could not be started in it: exit code 0. Install bubblewrap',
    )
  })

  test('mounts no /proc if that is refused', async () => {
    const bwrap = createProgram('partial', `case "$*" in *--proc*) exit 1;; esac; echo ${process.version}`)
    const { args } = (await bubblewrap({ bwrap })).launch('node', [], info)
    expect(args).not.toContain('--proc')
  })

  test('mounts /tmp before the files, because Node can be below it', async () => {
    const bwrap = createProgram('any', `echo ${process.version}`)
    const { args } = (await bubblewrap({ bwrap })).launch('node', [], { ...info, limits: { tmp: 1 } })
    expect(args.indexOf('--tmpfs')).toBeLessThan(args.indexOf(process.execPath))
  })

  test('keeps a linked directory as a link, so that relative links in it lead to the same place', async () => {
    const [real, link] = ['packages', 'node_modules'].map(name => join(directory, name))
    mkdirSync(real!)
    symlinkSync('packages', link!)
    const bwrap = createProgram('linking', `echo ${process.version}`)
    const reads = { directories: [real!, link!], files: [] }
    const args = (await bubblewrap({ bwrap })).launch('node', [], { ...info, reads }).args.join(' ')
    expect(args).toContain(`--symlink ${real} ${link}`)
    expect(args).toContain(`--ro-bind-try ${real} ${real}`)
  })
})

const info: LaunchInfo = {
  reads: { directories: ['/app/node_modules', '/app'], files: ['/package.json'] },
  writes: [],
  descriptors: [4],
  net: false,
  limits: {},
  program: { entry: '/app/process.js', node: process.version },
}

const isUnix = process.platform !== 'win32'

describe.runIf(isUnix)('docker', () => {
  test('refuses wrong options', () =>
    rows([
      [{ memory: 5 }, 'docker: unknown option "memory": use image, docker, args'],
      [{ image: '--privileged' }, 'image must be the name of an image'],
      [{ docker: '' }, 'docker must be the path of a program'],
      [{ args: '-v' }, 'args must be an array of strings'],
    ])((options, message) => expect(docker(options as object)).rejects.toThrow(message)))

  test('is unavailable without its program, its daemon or its image, with another Node.js, and on Windows', async () => {
    await expect(docker({ docker: '/none/docker' })).rejects.toThrow(
      'docker is not available: /none/docker was not found. Install Docker or Podman',
    )
    const refusing = createProgram('docker-refusing', 'echo "docker: No such image: $0" >&2; exit 125')
    await expect(docker({ docker: refusing, image: 'own' })).rejects.toThrow(
      /could not be started in own: docker: No such image: .*\. Start the daemon, if it has one, and pull the image \(docker-refusing pull own\)$/,
    )
    const old = createProgram('docker-old', 'echo v18.0.0')
    await expect(docker({ docker: old })).rejects.toThrow(
      `has Node.js v18.0.0, and the host ${process.version}. Use an image`,
    )
    const { platform } = process
    Object.defineProperty(process, 'platform', { value: 'win32' })
    try {
      const refused = docker({ docker: old })
      await expect(refused).rejects.toThrow(LauncherUnavailable)
      await expect(refused).rejects.toThrow(
        'a container has no paths of Windows, where the files would be. Use it on Linux',
      )
    } finally {
      Object.defineProperty(process, 'platform', { value: platform })
    }
  })

  test('is podman in names, errors and their remedies, if that is its program', async () => {
    const podman = createProgram('podman', `echo ${process.version}`)
    expect((await docker({ docker: podman })).name).toBe('podman')
    await expect(docker({ docker: '/none/podman' })).rejects.toThrow(
      'podman is not available: /none/podman was not found',
    )
    await expect(docker({ docker: createProgram('podman', 'exit 125'), image: 'own' })).rejects.toThrow(
      'podman is not available: Node could not be started in own: exit code 125. Start the daemon, if it has one, and pull the image (podman pull own)',
    )
  })

  test('names its container, which it can end, mounts what is there, and gives its client no variable of the host but its own', async () => {
    vi.stubEnv('DOCKER_HOST', 'unix:///run/docker.sock')
    vi.stubEnv('API_KEY', 'secret')
    const launcher = await docker({ docker: createProgram('docker', `echo ${process.version}`) })
    const reads = { directories: [directory], files: ['/none/package.json'] }
    const { args, stop, env, command } = launcher.launch('/node', ['--permission', 'main.js'], { ...info, reads })
    const name = args[args.indexOf('--name') + 1]
    expect(stop).toEqual({ command, args: ['rm', '-f', name] })
    expect(args.filter((_, at) => args[at - 1] === '-v')).toEqual([`${directory}:${directory}:ro`])
    expect(args.slice(-3)).toEqual([`node:${process.version.slice(1)}-slim`, '--permission', 'main.js'])
    expect(env).toMatchObject({ DOCKER_HOST: 'unix:///run/docker.sock' })
    expect(env).not.toHaveProperty('API_KEY')
    const options = args.join(' ')
    // What passes is kept nowhere, no memory of the machine is a file, and no number of processes is without a limit.
    for (const part of ['--log-driver none', '--ipc none', '--pids-limit 64']) expect(options).toContain(part)
    const wrong = { ...info, reads: { directories: ['/a:b'], files: [] } }
    expect(() => launcher.launch('/node', [], wrong)).toThrow('it cannot mount /a:b, which has a colon')
  })
})

describe.runIf(isLinux)('landlock', () => {
  const HELP = `case "$*" in *--help*) echo "--landlock-access --seccomp-filter"; exit;; esac`

  test('is unavailable with an old setpriv', () =>
    rows([['--landlock-access'], ['--seccomp-filter']])(async option => {
      const help = `case "$*" in *--help*) echo "${option}"; exit;; esac`
      const setpriv = createProgram('old', `${help}; echo ${process.version}`)
      await expect(landlock({ setpriv })).rejects.toThrow(
        'landlock is not available: setpriv has no --landlock-access or no --seccomp-filter. Install util-linux 2.41 or later',
      )
    }))

  test('is unavailable on a kernel without Landlock', async () => {
    const setpriv = createProgram('no-kernel', `${HELP}; echo "not supported" >&2; exit 1`)
    await expect(landlock({ setpriv })).rejects.toThrow(
      'Node could not be started in it: not supported. Use a kernel with Landlock',
    )
  })

  test('grants the files of the frontend for reading, and the kernel ends the process with the host', async () => {
    const setpriv = createProgram('new', `${HELP}; echo ${process.version}`)
    const openssl = '/etc/ssl/openssl.cnf'
    const launch = (await landlock({ setpriv })).launch('/node', ['module.js'], {
      ...info,
      reads: { directories: [directory], files: [] },
    })
    expect(launch.args).toContain(`path-beneath:read-file,read-dir:${directory}`)
    expect(launch.args.includes(`path-beneath:read-file:${openssl}`)).toBe(existsSync(openssl))
    expect(launch.args).toContain('--pdeathsig=KILL')
    expect(launch.args.slice(-3)).toEqual(['--', '/node', 'module.js'])
    expect(launch).toMatchObject({ command: '/bin/sh', endsWithParent: true })
    expect(launch.filter?.byteLength).toBeGreaterThan(500)
  })
})
