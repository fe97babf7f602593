// The default output of a host: the output of frontends with their labels, and the bus's log, as JSON to a pipe and as text to a
// terminal.
import { join } from 'node:path'
import { type QuickjsSandbox } from '../../../src/life/sandboxes/quickjs.js'
import { getReason, KINDS, startMembers, TEMPORARY } from '../../support/members.js'
import { writeProject } from '../../support/project.js'
import { settle, takeClock } from '../../support/supervised.js'
import { execFile } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify, styleText } from 'node:util'
import { describe, expect, test } from 'vitest'
import { getLabelColor } from '../../../src/life/reporting/terminal-log.js'
import { fixture } from '../../support/start.js'
import { choose, rows } from '../../../../../scripts/testing.js'

const run = promisify(execFile)
const host = fileURLToPath(fixture('sandboxes/output/host.mjs'))

interface HostOptions {
  log?: string | false
  logger?: boolean
  onStdio?: boolean
  data?: string
  sandbox?: string
}

/** Without the variables of this test runner, under which the log is text, and of CI, where Node has no colors. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(?:VITEST|NODE_TEST_CONTEXT|JEST_WORKER_ID|FORCE_COLOR|CI)$/.test(name),
  ),
)

const runHost = (
  options: HostOptions = {},
  variables: NodeJS.ProcessEnv = {},
): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, [host, JSON.stringify(options)], { env: { ...env, ...variables } })

/** The lines of JSON. */
const getEvents = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)

describe.each(choose(['permission', 'process', 'none'], 1))('the output of a frontend with sandbox %s', sandbox => {
  test('goes to standard error with its label, without terminal sequences, and 100 lines a second', async () => {
    const { stdout, stderr } = await runHost({ sandbox })
    expect(stdout).toBe('')
    for (const text of ['a log of main', 'an info', 'a warning', 'Error: an error', 'a sequence']) {
      expect(stderr).toMatch(new RegExp(`^\\[main\\]!? ${text}$`, 'm'))
    }
    // A second in which lines were left out has a line that says so. The flood can begin and end in others.
    const summaries = stderr.match(/^\[main\] .*, and \d+ more$/gm)!
    expect(stderr.match(/^\[main\] flood$/gm)!.length).toBeLessThanOrEqual(100 * (summaries.length + 2))
  })

  test('goes to onStdio instead', async () => {
    const { stdout, stderr } = await runHost({ sandbox, onStdio: true })
    expect(stdout).toContain('<main stdout> a log of main\n')
    expect(stdout).toContain('<main stderr> a warning\n')
    expect(stderr).not.toContain('[main]')
  })
})

test('a given logger takes the output of frontends, and `log: false` prints nothing', async () => {
  expect(await runHost({ log: false })).toEqual({ stdout: '', stderr: '' })
  const { stdout, stderr } = await runHost({ logger: true })
  expect(stderr).toBe('')
  const printed = { worker: 'frontend', label: 'main' }
  expect(getEvents(stdout)).toContainEqual(expect.objectContaining({ ...printed, level: 30, msg: 'a log of main' }))
  expect(getEvents(stdout)).toContainEqual(expect.objectContaining({ ...printed, level: 40, msg: 'a warning' }))
})

describe('the log in a pipe', () => {
  test('is JSON, warnings and errors by default, and has each stack once', async () => {
    const { stderr } = await runHost()
    const events = getEvents(stderr)
    expect(events.every(({ level }) => (level as number) >= 40)).toBe(true)
    const denials = events.filter(({ msg }) => msg === 'denied')
    expect(denials.length).toBeLessThan(20)
    expect(denials.reduce((sum, { more = 0 }) => sum + 1 + (more as number), 0)).toBe(20)
    expect(events.find(({ msg }) => msg === 'fault')).toMatchObject({
      label: 'main',
      err: { stack: expect.stringMatching(/^TypeError: thrown by the plugin\n {4}at .*loud\.mjs/) as string },
    })
    // The rest of a count can come later.
    const last = events.findLast(({ msg }) => msg !== 'denied')
    expect(last).toMatchObject({ worker: 'frontend', label: 'main', msg: 'failed: thrown by the plugin' })
    expect(stderr.match(/loud\.mjs:\d+:\d+\)/g)).toHaveLength(1)
    // Unless `log` names a level.
    const info = { level: 30, worker: 'core', msg: 'an info of core' }
    expect(getEvents((await runHost({ log: 'info' })).stderr)).toContainEqual(expect.objectContaining(info))
  })

  const getFaultStack = async (options: HostOptions): Promise<unknown> => {
    const fault = getEvents((await runHost(options)).stderr).find(({ msg }) => msg === 'fault')
    return (fault?.['err'] as { stack?: unknown } | undefined)?.stack
  }

  test('names the place of a promise whose rejection is not handled, or says how to find it', () =>
    rows<[options: HostOptions, stack: RegExp]>([
      [
        { data: 'forgets' },
        /^BusError \[MethodNotFound\]: .*is an `await` missing\?\)\n {4}at async forget \(.*loud\.mjs/,
      ],
      ...choose(['permission', 'process']).map((sandbox): [HostOptions, RegExp] => [
        { data: 'forgets a denied call', sandbox },
        /^BusError \[Denied\]: Uncaught denial of denied: is an `await` missing\?\n {4}at .*loud\.mjs:\d+:\d+/,
      ]),
      [
        { data: 'rejects with an object' },
        /^Error: A promise was rejected with a value that is not an Error: .*Reject with an Error, whose stack has the file and line$/,
      ],
    ])(async (options, stack) => expect(await getFaultStack(options)).toMatch(stack)))

  test('has the error that ends a process, which the process does not print too', async () => {
    const { stderr } = await runHost({ sandbox: 'process' })
    expect(getEvents(stderr).map(({ msg }) => msg)).toContain('fault')
    expect(stderr.split('\n').filter(line => line.startsWith('[main]') && line.includes('thrown by'))).toEqual([])
  })
})

/** The texts of the events, without their times. */
const getTexts = (text: string): string[] =>
  text
    .replaceAll('\r', '')
    .split('\n')
    .filter(line => /^\d\d:\d\d:\d\d /.test(line))
    .map(line => line.slice(9))

const HINT =
  'add "denied" to the option "allow" of the frontend "main", or add "allow-denied" to the permissions of a capability whose windows match "main"'

test('the log in a pipe is text in a runner of tests', () =>
  rows(['NODE_TEST_CONTEXT', 'VITEST', 'JEST_WORKER_ID'])(async name => {
    const { stderr } = await runHost({}, { [name]: '1' })
    expect(getEvents(stderr)).toEqual([])
    expect(getTexts(stderr)).toContain(`warn  [main] denied denied: ${HINT}`)
  }))

const COLOR_OF_MAIN = styleText(getLabelColor('main'), 'x', { validateStream: false }).split('x')[0]

describe.runIf(process.platform === 'linux')('the log on a terminal', () => {
  async function runOnTerminal(variables: NodeJS.ProcessEnv): Promise<string> {
    const command = `'${process.execPath}' '${host}' '${JSON.stringify({ log: 'info' })}'`
    const options = { env: { ...env, TERM: 'xterm-256color', ...variables } }
    return (await run('script', ['-qec', command, '/dev/null'], options)).stdout
  }

  test('is one line of text for each event', async () => {
    const lines = (await runOnTerminal({ NO_COLOR: '1' })).replaceAll('\r', '').split('\n')
    expect(lines).toContain('[main] a log of main')
    expect(lines).toContain('[main]! a warning')
    expect(lines.filter(line => line.startsWith('{'))).toEqual([])
    const texts = getTexts(lines.join('\n'))
    const denials = texts.filter(text => text.startsWith('warn'))
    expect(denials.reduce((sum, text) => sum + Number(/\((\d+)×\)/.exec(text)?.[1] ?? 1), 0)).toBe(20)
    expect([...new Set(texts.map(text => text.replace(/ \(\d+×\)/, '')))]).toEqual([
      'info  [core] an info of core',
      `warn  [main] denied denied: ${HINT}`,
      'error [main] fault: TypeError: thrown by the plugin',
      'error [main] failed: thrown by the plugin',
    ])
    const stack = lines.slice(lines.findIndex(line => line.includes('fault: ')) + 1)
    expect(stack[0]).toMatch(/^ {6}at .*loud\.mjs:\d+:\d+/)
  })

  test('has colors', async () => {
    const text = await runOnTerminal({})
    expect(text).toContain('\u001b[31merror\u001b[39m')
    expect(text).toContain('\u001b[33mwarn \u001b[39m')
    // The output of a frontend has the color of its label.
    expect(text).toContain(`${COLOR_OF_MAIN}[main]\u001b[39m a log of main`)
  })
})

// What code prints before it hangs: the last words before a hang are what a person needs.
describe('the last words before a hang', () => {
  const SOURCE = `
  import { expose } from '@sallyport/frontend'
  expose({
    async hang({ lines, length }) {
      await null
      for (let n = 0; n < lines; n++) console.log(String(n).padEnd(length - 1, '.'))
      console.error('over')
      for (;;);
    },
  })`
  const TRUSTED = SOURCE.replace('@sallyport/frontend', KINDS[0]!.client)
  /** A thread sends no more ahead. */
  const WINDOW = 2 ** 18
  const amounts = {
    nothing: { lines: 0, length: 1 },
    'a line': { lines: 1, length: 10 },
    '2000 lines': { lines: 2000, length: 10 },
    '10 MB': { lines: 1250, length: 8000 },
  }
  const permission = KINDS[0]!
  const kinds = [{ ...permission, name: 'a trusted thread', place: 'none' as const }, ...KINDS]

  test.each(kinds.map(kind => [kind.name, kind] as const))(
    'what it printed before it hung arrives, or is counted: %s',
    async (name, kind) => {
      const { place, options } = kind.loops
      takeClock('polls of heartbeats')
      await rows(amounts)(async ({ lines, length }, amount) => {
        const bus = await startMembers()
        const text = { stdout: '', stderr: '' }
        let lost = 0
        const onStdio = (printed: string, { stream }: { stream: 'stdout' | 'stderr' }): void => {
          const [, characters] = /^\nOutput lost: (\d+) characters/.exec(printed) ?? []
          if (characters === undefined) text[stream] += printed
          else lost += Number(characters)
        }
        const sandbox = place ? withUsualTime(kind.place as object) : kind.place
        const supervision = { ...options?.supervision, ...TEMPORARY.supervision }
        const code =
          sandbox === 'none' ? pathToFileURL(join(writeProject({ 'a.mjs': TRUSTED }), 'a.mjs')) : { source: SOURCE }
        await bus.open('a', code, { sandbox, supervision, onStdio, allow: '*' })
        const hanging = bus.call('a', 'hang', { lines, length }).catch(getReason)
        // A script ends by its limit of time, before what it says leaves its thread.
        if (!place) await expect.poll(() => text.stderr).toBe('over\n')
        await settle(hanging)
        expect(await hanging).toBe('Disconnected')
        const isThread = name.includes('thread')
        // What a pipe does not take at once waits in the process, and is lost with it.
        const isTold = text.stderr.includes('Further output might be lost')
        if (!isTold && text.stderr.startsWith('over\n')) expect(text.stdout.length + lost).toBe(lines * length)
        if (amount !== '10 MB' && isThread) expect(lost).toBe(0)
        if (isThread && !place) expect(text.stdout.length).toBeLessThanOrEqual(WINDOW)
        await bus.close({ timeout: 0 })
      })
    },
    120_000,
  )

  /** For all that is printed. */
  function withUsualTime(place: object): QuickjsSandbox {
    const { time: _time, ...sandbox } = place as QuickjsSandbox
    return sandbox
  }
})
