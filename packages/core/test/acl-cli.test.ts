// The command `sallyport-acl`, as it is installed, on real files.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { main, project } from './notes.js'
import { writeProject } from './project.js'

const root = fileURLToPath(new URL('../', import.meta.url))
const { bin, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  bin: Record<string, string>
  version: string
}

interface Result {
  code: number
  stdout: string
  stderr: string
}

function run(cwd: string, ...args: string[]): Promise<Result> {
  return new Promise(resolve => {
    execFile(process.execPath, [join(root, bin['sallyport-acl']!), ...args], { cwd }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

/** What a line of the text says of a command, under a label. */
function said(text: string, label: string, command: string): string | undefined {
  const part = text.split('\n\n').find(each => each.startsWith(`${label} (`))
  const line = part?.split('\n').find(each => each.trimStart().startsWith(`${command} `))
  return line?.trim().replace(/  +/g, ' ')
}

describe('sallyport-acl says who may call what', () => {
  test('with the commands of a core', async () => {
    const { code, stdout, stderr } = await run(writeProject(project), '--core', 'core.mjs')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n\n')[0]).toBe(
      [
        'guest-* (guests)',
        '  greet  allowed  guests: allow-greet',
        '  closed: delete_note, plugin:files|read, plugin:files|write, read_note',
        '  open to all: the defaults of core:event, core:path, core:app and core:resources',
      ].join('\n'),
    )
    expect(said(stdout, 'main', 'plugin:files|read')).toBe('plugin:files|read allowed main: files:allow-read')
    expect(said(stdout, 'main', 'read_note')).toBe(
      'read_note allowed main: read-some-notes allow [{"path":"$DOCUMENT/notes/*"}]',
    )
    expect(said(stdout, 'main', 'core:event')).toBe('core:event allowed main: emit, emit_to, listen, unlisten')
    expect(said(stdout, 'main', 'closed:')).toBe('closed: delete_note, plugin:files|write')
  })

  test('without one, as far as the files know', async () => {
    const { 'permissions/notes.toml': _notes, ...others } = project
    const folder = writeProject({
      ...Object.fromEntries(Object.entries(others).map(([path, content]) => [`src-tauri/${path}`, content])),
      'src-tauri/capabilities/main.json': { ...main, permissions: ['files:default', 'dialog:default', 'allow-greet'] },
    })
    const { code, stdout, stderr } = await run(folder, '--label', 'main', '--label', 'other')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^main \(main\)\n/)
    expect(said(stdout, 'main', 'plugin:files|read')).toBe('plugin:files|read allowed main: files:allow-read')
    expect(said(stdout, 'main', 'greet')).toBe('greet allowed main: allow-greet')
    expect(stdout).toMatch(/^other \(no capability\)$/m)
    expect(stdout).toMatch(/^warning: .*main\.json: permissions\[1\]: .*dialog/m)
    expect(stdout).not.toContain('guest-')
  })

  test('without one, by the sets of its own permission files', async () => {
    const { code, stdout, stderr } = await run(writeProject(project), '--label', 'main')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(said(stdout, 'main', 'greet')).toMatch(/^greet allowed main: allow-greet/)
    expect(said(stdout, 'main', 'read_note')).toMatch(/^read_note allowed main: read-some-notes/)
    expect(said(stdout, 'main', 'closed:')).toBeUndefined()
    expect(stdout).toMatch(/[^\n]\n$/)
  })

  test('of every frontend, where no capability names one', async () => {
    const folder = writeProject({ 'core.mjs': project['core.mjs'], 'tauri.conf.json': {} })
    const { code, stdout } = await run(folder, '--core', 'core.mjs')
    expect(code).toBe(0)
    expect(said(stdout, '*', 'greet')).toBe('greet open')
    expect(said(stdout, '*', 'closed:')).toBe('closed: plugin:files|read, plugin:files|write')
  })

  test('as JSON', async () => {
    const folder = writeProject(project)
    const { code, stdout } = await run(folder, 'tauri.conf.json', '--core', 'core.mjs', '--label', 'guest-1', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      frontends: [
        {
          label: 'guest-1',
          capabilities: ['guests'],
          commands: expect.arrayContaining([
            { command: 'greet', access: 'allowed', by: [{ capability: 'guests', permission: 'allow-greet' }] },
            { command: 'delete_note', access: 'closed', by: [] },
          ]) as unknown,
        },
      ],
      warnings: [],
    })
  })

  test('in a process that a core would keep alive, too', async () => {
    const folder = writeProject({ ...project, 'core.mjs': `setInterval(() => {}, 1000)\n${project['core.mjs']}` })
    expect(await run(folder, '--core', 'core.mjs')).toMatchObject({ code: 0 })
  })
})

describe('sallyport-acl ends with', () => {
  test.each<[name: string, args: string[], code: number, out: RegExp]>([
    ['0 and its help', ['--help'], 0, /^sallyport-acl \[tauri\.conf\.json \| directory\].*Exit codes: 0/s],
    ['0 and its version', ['--version'], 0, new RegExp(`^sallyport-acl/${version.replaceAll('.', '\\.')} `)],
    ['2 for an unknown option', ['--lable', 'x'], 2, /Unknown option `--lable`\. There are --core --label/],
    ['2 for an option without its value', ['--core'], 2, /--core <file>.*value is missing/],
    ['2 for one argument too many', ['.', '.'], 2, /Unused args/],
    ['2 for two cores', ['--core', 'a', '--core', 'b'], 2, /--core can be given once/],
    ['2 for another word', ['--unknown-permissions', 'no'], 2, /--unknown-permissions takes error or warn/],
    ['2 for a project that is not there', ['nowhere'], 2, /there is no file or directory .*nowhere$/],
    ['1 for a folder without a configuration', ['capabilities'], 1, /^sallyport-acl: there is no tauri\.conf\.json, /],
    ['1 for a core that is not there', ['--core', 'no.mjs'], 1, /core: there is no file .*no\.mjs$/],
    ['1 for a core that is none', ['--core', 'none.mjs'], 1, /has no definition: it must `export default defineCore/],
    ['1 for a core that cannot be loaded', ['--core', 'throws.mjs'], 1, /throws\.mjs could not be loaded: oops$/],
    [
      '1 for an unknown permission',
      ['wrong', '--core', 'core.mjs'],
      1,
      /a\.json: permissions\[0\]: .*\(did you mean "allow-greet"\?\)$/,
    ],
    ['1 for what can’t be parsed', ['broken'], 1, /tauri\.conf\.json:1:2: not JSON: invalid end of input$/],
  ])('%s', async (_name, args, code, out) => {
    const folder = writeProject({
      ...project,
      'wrong/tauri.conf.json': {},
      'wrong/capabilities/a.json': { ...main, permissions: ['allow-gret'] },
      'broken/tauri.conf.json': '{',
      'none.mjs': 'export const nothing = 1',
      'throws.mjs': 'throw new Error("oops")',
    })
    const { stdout, stderr, ...result } = await run(folder, ...args)
    expect(result.code).toBe(code)
    const [text, other] = code === 0 ? [stdout, stderr] : [stderr, stdout]
    expect(text.trimEnd()).toMatch(out)
    expect(other).toBe('')
    expect(text).not.toMatch(/^ +at /m)
  })
})
