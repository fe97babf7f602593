// The command `sallyport acl` as it is installed, with real files.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { main, project } from '../support/notes.js'
import { writeProject } from '../support/project.js'
import { rows } from '../../../../scripts/testing.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: Record<string, string> }

interface Result {
  code: number
  stdout: string
  stderr: string
}

function run(cwd: string, ...args: string[]): Promise<Result> {
  return new Promise(resolve => {
    execFile(process.execPath, [join(root, bin['sallyport']!), 'acl', ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

/** Returns the line about a command, in the section of a label. */
function findLine(text: string, label: string, command: string): string | undefined {
  const part = text.split('\n\n').find(each => each.startsWith(`${label} (`))
  const line = part?.split('\n').find(each => each.trimStart().startsWith(`${command} `))
  return line?.trim().replace(/  +/g, ' ')
}

describe('sallyport acl prints who can call what', () => {
  test('with the commands of a core', async () => {
    const { code, stdout, stderr } = await run(writeProject(project), '--core', 'core.mjs')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n\n')[0]).toBe(
      [
        'client-* (clients)',
        '  greet  allowed  clients: allow-greet',
        '  closed: delete_note, plugin:files|read, plugin:files|write, read_note',
        '  allowed to all: the defaults of core:event, core:app and core:resources',
      ].join('\n'),
    )
    expect(findLine(stdout, 'main', 'plugin:files|read')).toBe('plugin:files|read allowed main: files:allow-read')
    expect(findLine(stdout, 'main', 'read_note')).toBe(
      'read_note allowed main: read-some-notes allow [{"path":"$DOCUMENT/notes/*"}]',
    )
    expect(findLine(stdout, 'main', 'core:event')).toBe(
      'core:event allowed (built-in), main: emit, emit_to, listen, unlisten',
    )
    expect(findLine(stdout, 'main', 'closed:')).toBe('closed: delete_note, plugin:files|write')
  })

  test('with the commands in the files, without a core', async () => {
    const { 'permissions/notes.toml': _notes, ...others } = project
    const directory = writeProject({
      ...Object.fromEntries(Object.entries(others).map(([path, content]) => [`src-tauri/${path}`, content])),
      'src-tauri/capabilities/main.json': { ...main, permissions: ['files:default', 'dialog:default', 'allow-greet'] },
    })
    const { code, stdout, stderr } = await run(directory, '--label', 'main', '--label', 'other')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^main \(main\)\n/)
    expect(findLine(stdout, 'main', 'plugin:files|read')).toBe('plugin:files|read allowed main: files:allow-read')
    expect(findLine(stdout, 'main', 'greet')).toBe('greet allowed (app without permissions): *, main: allow-greet')
    expect(stdout).toMatch(/^other \(no capability\)$/m)
    expect(stdout).toMatch(/^warning: .*main\.json: permissions\[1\]: .*dialog/m)
    expect(stdout).not.toContain('client-')
  })

  test('with the commands in sets of permission files, without a core', async () => {
    const { code, stdout, stderr } = await run(writeProject(project), '--label', 'main')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(findLine(stdout, 'main', 'greet')).toMatch(/^greet allowed main: allow-greet/)
    expect(findLine(stdout, 'main', 'read_note')).toMatch(/^read_note allowed main: read-some-notes/)
    expect(findLine(stdout, 'main', 'closed:')).toBeUndefined()
    expect(stdout).toMatch(/[^\n]\n$/)
  })

  test('for the label * if no capability names a frontend', async () => {
    const directory = writeProject({ 'core.mjs': project['core.mjs'], 'tauri.conf.json': {} })
    const { code, stdout } = await run(directory, '--core', 'core.mjs')
    expect(code).toBe(0)
    expect(findLine(stdout, '*', 'greet')).toBe('greet allowed (app without permissions): *')
    expect(findLine(stdout, '*', 'closed:')).toBe('closed: plugin:files|read, plugin:files|write')
  })

  test('in JSON', async () => {
    const directory = writeProject(project)
    const { code, stdout } = await run(
      directory,
      'tauri.conf.json',
      '--core',
      'core.mjs',
      '--label',
      'client-1',
      '--json',
    )
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      frontends: [
        {
          label: 'client-1',
          capabilities: ['clients'],
          commands: expect.arrayContaining([
            { command: 'greet', access: 'allowed', by: [{ capability: 'clients', permission: 'allow-greet' }] },
            { command: 'delete_note', access: 'closed', by: [] },
          ]) as unknown,
        },
      ],
      warnings: [],
    })
  })

  test('exits even if the core module keeps the process alive', async () => {
    const directory = writeProject({ ...project, 'core.mjs': `setInterval(() => {}, 1000)\n${project['core.mjs']}` })
    expect(await run(directory, '--core', 'core.mjs')).toMatchObject({ code: 0 })
  })
})

describe('sallyport acl exits with', () => {
  test('each command has its output and its exit code', () =>
    rows<[name: string, args: string[], code: number, out: RegExp]>([
      [
        '0 and its help',
        ['--help'],
        0,
        /^sallyport acl \[tauri\.conf\.json \| directory\].*\sin a Tauri project\n.*Exit codes: 0/s,
      ],
      [
        '2 for an unknown option',
        ['--lable', 'x'],
        2,
        /^sallyport acl: Unknown option '--lable' \(did you mean "--label"\?\)\. Run sallyport acl --help$/,
      ],
      ['2 for an option without its value', ['--core'], 2, /Option '--core <value>' argument missing/],
      ['2 for one argument too many', ['.', '.'], 2, /^sallyport acl: Unknown argument '\.'\./],
      ['2 for a missing project', ['nowhere'], 2, /there is no file or directory .*nowhere$/],
      [
        '1 for a directory without a configuration',
        ['capabilities'],
        1,
        /^sallyport acl: there is no tauri\.conf\.json, .* Pass the directory of a Tauri project$/,
      ],
      ['1 for a missing core', ['--core', 'no.mjs'], 1, /core: there is no file .*no\.mjs$/],
      [
        '1 for a module without a definition',
        ['--core', 'none.mjs'],
        1,
        /has no definition: it must `export default defineCore/,
      ],
      ['1 for a core that cannot be loaded', ['--core', 'throws.mjs'], 1, /throws\.mjs could not be loaded: oops$/],
      [
        '1 for an unknown permission',
        ['wrong', '--core', 'core.mjs'],
        1,
        /a\.json: permissions\[0\]: .*\(did you mean "allow-greet"\?\)$/,
      ],
      ['1 for a syntax error', ['broken'], 1, /tauri\.conf\.json:1:2: not JSON: invalid end of input$/],
    ])(async (_name, args, code, out) => {
      const directory = writeProject({
        ...project,
        'wrong/tauri.conf.json': {},
        'wrong/capabilities/a.json': { ...main, permissions: ['allow-gret'] },
        'broken/tauri.conf.json': '{',
        'none.mjs': 'export const nothing = 1',
        'throws.mjs': 'throw new Error("oops")',
      })
      const { stdout, stderr, ...result } = await run(directory, ...args)
      expect(result.code).toBe(code)
      const [text, other] = code === 0 ? [stdout, stderr] : [stderr, stdout]
      expect(text.trimEnd()).toMatch(out)
      expect(other).toBe('')
      expect(text).not.toMatch(/^ +at /m)
    }))
})
