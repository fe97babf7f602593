// Deno as a launcher, without starting it: programs of the test are in its place.
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { writeProject } from '../../../core/test/support/project.js'
import { deno, denoOfApplication, findDependency } from './deno.js'
import { type Launcher, type LaunchInfo, LauncherUnavailable } from './launcher.js'

const { platform, arch } = process
const binary = `node_modules/@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`
const program = `${binary}/${platform === 'win32' ? 'deno.exe' : 'deno'}`

function writeApplication(manifest: object, version = '2.9.6'): string {
  const directory = writeProject({
    'package.json': JSON.stringify(manifest),
    'node_modules/deno/package.json': '{}',
    [`${binary}/package.json`]: '{}',
    [program]: `#!/bin/sh\necho "deno ${version} (stable)"\n`,
  })
  chmodSync(join(directory, program), 0o755)
  return directory
}

const info: LaunchInfo = {
  reads: { directories: ['/app'], files: ['/package.json'] },
  ...{ writes: ['/data'], descriptors: [], net: false, limits: {} },
  program: { entry: '/app/process.cjs', node: process.version },
}

const { argv } = process
afterEach(() => {
  process.argv = argv
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe.skipIf(platform === 'win32')('deno', () => {
  test('is that of the application, if the application itself depends on the package', () =>
    rows([
      [{ dependencies: { deno: '2' } }, 'dist/host.js', true],
      [{ devDependencies: { deno: '2' } }, 'node_modules/.bin/vitest', true],
      [{ dependencies: { other: '2' } }, 'dist/host.js', false],
    ])((manifest, main, isFound) => {
      const directory = writeApplication(manifest)
      expect(findDependency(join(directory, main))).toBe(isFound ? join(directory, program) : undefined)
    }))

  test('is that of the working directory, if the main module has no file', () => {
    const directory = writeApplication({ dependencies: { deno: '2' } })
    vi.spyOn(process, 'cwd').mockReturnValue(join(directory, 'src'))
    // `node -e`, with an argument, and `node -`
    return rows<string | undefined>([undefined, 'argument', '-'])(main => {
      process.argv = [process.execPath, ...(main === undefined ? [] : [main])]
      expect(findDependency()).toBe(join(directory, program))
    })
  })

  test('is missing with the directory that was searched', async () => {
    process.argv = [process.execPath, '/none/tools/run.mjs']
    vi.stubEnv('PATH', '')
    const name = `the package deno for ${process.platform}-${process.arch}`
    const none = `${name} is not installed in /none/tools or above it. Install it`
    await expect(deno()).rejects.toThrow(`it is not in PATH, and ${none}`)
    await expect(denoOfApplication()).rejects.toThrow(none)
    process.argv = [process.execPath, '/none/tools/node_modules/.bin/command']
    await expect(denoOfApplication()).rejects.toThrow(none)
  })

  test('is not that of a package of the application', () => {
    const directory = writeApplication({})
    const other = join(directory, 'node_modules/other')
    mkdirSync(other)
    writeFileSync(join(other, 'package.json'), '{ "dependencies": { "deno": "2" } }')
    expect(findDependency(join(other, 'main.js'))).toBeUndefined()
  })

  test('is unavailable if it is missing, too old, or no Deno', async () => {
    const attempt = (version: string) => deno({ deno: join(writeApplication({}, version), program) })
    const missing = deno({ deno: '/none/deno' })
    await expect(missing).rejects.toThrow(LauncherUnavailable)
    await expect(missing).rejects.toThrow('/none/deno was not found. Install it in the application (npm install deno)')
    await expect(attempt('2.8.4')).rejects.toThrow(/has version 2\.8\.4\. Update it to 2\.9 or later$/)
    await expect(attempt('none')).rejects.toThrow(/\/deno is not Deno\. Install it/)
    await expect(deno({ deno: '/bin/false' })).rejects.toThrow('could not be started: exit code 1')
    await attempt('3.0.0')
    await expect(deno({ inside: 'bubblewrap' as never })).rejects.toThrow('inside must be a launcher')
  })

  test('grants are permissions, and flags of memory are those of V8', async () => {
    const path = join(writeApplication({}), program)
    const { command, args, env } = (await deno({ deno: path })).launch(
      '/node',
      ['--stack-size=900', '/app/p.cjs'],
      info,
    )
    expect(command).toBe(path)
    expect(args).toContain('--allow-read=/app,/package.json,/data')
    expect(args).toContain('--allow-write=/data')
    // Nothing of the user's but what is granted: no configuration, lock file or cache.
    expect(args).toEqual(expect.arrayContaining(['--no-config', '--no-lock', '--no-remote', '--cached-only']))
    expect(args.slice(-2)).toEqual(['--v8-flags=--stack-size=900', '/app/process.cjs'])
    expect(args.join(' ')).not.toContain('--allow-net')
    expect(env).toEqual({ DENO_DIR: join(path, 'none'), NO_COLOR: '1' })
    expect((await deno({ deno: path })).launch('/node', [], { ...info, net: true }).args).toContain('--allow-net')
  })

  test('denies links that lead out of what it grants', async () => {
    const { launch } = await deno({ deno: join(writeApplication({}), program) })
    const app = realpathSync(writeProject({ 'main.js': '' }))
    symlinkSync('/', join(app, 'out'))
    const { args } = launch('/node', [], { ...info, reads: { directories: [app], files: [] } })
    expect(args).toContain(`--deny-read=${join(app, 'out')}`)
  })

  test('refuses code as text, scripts, and a path that it would take for two', async () => {
    const { launch } = await deno({ deno: join(writeApplication({}), program) })
    for (const flag of ['--experimental-vm-modules', '--wasm-tiering-budget=1000000000']) {
      expect(() => launch('/node', [flag], info)).toThrow('deno runs neither code as text nor scripts. Use a file')
    }
    const reads = { directories: ['/a,b'], files: [] }
    expect(() => launch('/node', [], { ...info, reads })).toThrow('it cannot grant /a,b, which has a comma')
  })

  test('has what holds it from the launcher that it is in, which shows it its program', async () => {
    const path = join(writeApplication({}), program)
    const infos: LaunchInfo[] = []
    const inside: Launcher = {
      ...{ name: 'own', holds: ['tmp'], bindsWrites: true },
      launch(command, args, info) {
        infos.push(info)
        return { command: '/bin/box', args: [command, ...args], env: { A: '1' } }
      },
    }
    const launcher = await deno({ deno: path, inside })
    expect(launcher).toMatchObject({ name: 'deno in own', holds: ['tmp'], closesNetwork: true, isElsewhere: false })
    const launch = launcher.launch('/node', [], { ...info, limits: { tmp: 1 } })
    expect(launch).toMatchObject({ command: '/bin/box', env: { A: '1', DENO_DIR: join(path, 'none') } })
    expect(launch.args.slice(0, 2)).toEqual([path, 'run'])
    expect(launch.args).toContain('--allow-write=/data,/tmp')
    expect(infos[0]!.reads.files).toContain(path)
    expect(dirname(infos[0]!.reads.files[0]!)).toBe('/')
  })
})
