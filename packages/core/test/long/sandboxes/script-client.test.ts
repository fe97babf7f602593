// A frontend that is a script in QuickJS: it has the whole client, and its errors are reported.
import { Console } from 'node:console'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import type { CodecName, Sandbox } from '../../../src/index.js'
import { writeProject } from '../../support/project.js'
import { scriptApps, scriptCore, scriptSandboxes } from '../../support/scripts.js'
import { fixture, next, reuseBus, start } from '../../support/start.js'
import { rows } from '../../../../../scripts/testing.js'

const script = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`)

test.each(scriptApps)('the client of a script is whole: %s', (_name, app) =>
  rows<[CodecName, Sandbox]>([
    ['json', 'quickjs'],
    ['msgpack', 'quickjs'],
    ['json', { kind: 'quickjs', process: true }],
  ])(async (codec, sandbox) => {
    const bus = await start({ core: scriptCore, ...app, codec })
    const data = { a: [1, 'b'] }
    await bus.open('main', fixture('sandboxes/scripts/works.js'), { sandbox, data, allow: '*' })
    const call = (name: string, args = {}): Promise<unknown> => bus.call('main', name, args)
    expect(await call('who')).toEqual(['main', 'main', data, true])
    expect(await call('invokes')).toEqual([
      3,
      'Hello, x!',
      [7, 7, 7],
      { length: 200_000, ends: [7, 7], alone: true, plain: true },
      { a: 'b' },
      { reason: 'CommandFailed', message: 'it broke', is: true },
      { reason: expect.any(String) as string, message: expect.stringContaining('nope') as string, is: true },
      { reason: 'Timeout', message: expect.stringContaining('slow') as string, is: true },
    ])
    const cancelled = { reason: 'Cancelled', message: 'command "slow" was cancelled', is: true }
    expect(await call('cancels')).toEqual([cancelled, true, 'why', ['onabort', 'abort', true]])
    expect(await call('reads')).toEqual([600, 1200, [0, 1, 2]])
    expect(await call('receives')).toEqual([
      ['news', { n: 0 }],
      ['once', { n: 0 }],
      ['news', 'all'],
    ])
    expect(await call('receives', { left: true })).toEqual([])
    await expect(bus.call('main', 'waits', {}, { timeout: 1 })).rejects.toMatchObject({ reason: 'Timeout' })
    await expect.poll(() => call('ended')).toEqual(['Cancelled'])
    await expect(call('throws')).rejects.toMatchObject({ reason: 'CommandFailed', data: 'it broke' })
    expect(await call('asks')).toEqual([true, false, { code: 'BUSY', message: 'later', data: { in: 5 } }])
    expect(await call('times')).toEqual(['number', ['microtask', 'every'], true])
    expect(await call('parses')).toEqual(['c', 'a'])
  }),
)

const getBus = reuseBus({ supervision: { restart: 'temporary' } })

let opened = 0
/** Returns the error of a script, which rejects `open` while the script is loading, and is a fault later. */
async function getError(module: URL, sandbox: Sandbox): Promise<Error> {
  const bus = await getBus()
  const label = `script-${opened++}`
  let stop = (): void => {}
  const fault = new Promise<Error>(resolve => {
    stop = bus.on('fault', event => void (event.label === label && resolve(event.error)))
  })
  const error = await bus.open(label, module, { sandbox }).then(
    () => fault,
    (thrown: Error) => thrown,
  )
  stop()
  return error
}

const throwing = (text: string): string => `function broken() {\n${text}\n}\nbroken()`

test.each(scriptSandboxes)(
  'an error in a script in %s ends it, and has its cause and location',
  async (_name, sandbox) => {
    await rows<[text: string, message: string | RegExp, stack?: RegExp]>([
      [throwing('null.x'), /^cannot read property 'x' of null/, /at broken \(inline:2:\d+\)/],
      [throwing('setTimeout(() => { throw new RangeError("later") })'), 'later', /^RangeError: later\n.*inline:2/],
      [throwing('queueMicrotask(() => null.x)'), /^cannot read property/, /inline:2/],
      [throwing('Promise.reject(new Error("no handler"))'), 'no handler', /inline:2/],
      ['await sallyport.invoke("nope")', 'Command nope not found'],
      ['sallyport.listen("x", () => { throw "a text" }); setTimeout(() => sallyport.emit("x"), 1)', 'a text'],
      ['throw { toString: () => { throw 1 } }', /./],
      ['throw Object.create(null)', /./],
      ['throw new Proxy(new Error("x"), { get: () => { throw 1 } })', /cannot be shown/],
      ['const e = Error("hidden"); Object.defineProperty(e, "stack", { get: () => () => {} }); throw e', 'hidden'],
      ['new AbortController().signal.x.y', /^cannot read/],
      ['undeclared = 1', /undeclared is not defined/],
      ['fetch("http://a")', /fetch is not defined/],
      ['1\n\na b', /data:…:3:3: syntax error: expecting ';'/],
      ['1\nawait import("node:fs")', /^Cannot import "node:fs"/],
    ])(async (text, message, stack) => {
      const error = await getError(script(text), sandbox)
      expect(error.message).toMatch(message)
      if (stack) expect(error.stack).toMatch(stack)
    })
    const directory = writeProject({ 'long.js': `"${'x'.repeat(2 ** 24)}"` })
    const message = expect.stringMatching(/long\.js: it is longer than 16777216 characters/) as string
    const error = await getError(pathToFileURL(join(directory, 'long.js')), sandbox)
    expect(error).toMatchObject({ reason: 'LoadFailed', message })
  },
)

test('the log has the output of a script', async () => {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as (typeof lines)[number])
  const bus = await start({ log: pino({ level: 'info' }, { write }) })
  const done = next(bus, 'done')
  const text = 'console.log("a", { b: 1 }); console.error("c"); await sallyport.emit("done")'
  await bus.open('main', script(text), { sandbox: 'quickjs' })
  await done
  const messages = (): unknown[] =>
    lines.filter(({ worker }) => worker === 'frontend').map(({ level, msg }) => [level, msg])
  await expect.poll(messages).toEqual(
    expect.arrayContaining([
      [30, 'a { b: 1 }'],
      [40, 'c'],
    ]),
  )
})

test('a module and its packages, bundled without @sallyport/frontend, are a script', async () => {
  const directory = writeProject({
    'main.js': `import { emit, getLabel, invoke } from '@sallyport/frontend'
      import { twice } from './twice.js'
      const { name } = await import('./later.js')
      await emit('bundled', [twice(await invoke('add', { a: 1, b: 1 })), getLabel(), name])`,
    'twice.js': 'export const twice = n => 2 * n',
    'later.js': `export const name = 'later'`,
  })
  const bundle = await rolldown({
    input: join(directory, 'main.js'),
    external: ['@sallyport/frontend'],
    logLevel: 'silent',
  })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false })
  await bundle.close()
  const file = join(directory, 'bundled.js')
  writeFileSync(file, output[0].code)
  const bus = await start()
  const bundled = Promise.race([
    next(bus, 'bundled'),
    new Promise((_resolve, reject) => bus.on('fault', ({ error }) => reject(error))),
  ])
  await bus.open('main', pathToFileURL(file), { sandbox: 'quickjs', allow: ['add'] })
  expect(await bundled).toEqual([4, 'main', 'later'])
})

const AsyncFunction = (async () => {}).constructor as new (...code: string[]) => (console: Console) => unknown

test('groups and counts of the console are those of Node.js, and timers print a time', async () => {
  const code = `
    console.group('outer', 1)
    console.log('a\\nb')
    console.group()
    console.count()
    console.groupEnd()
    console.count('named')
    console.count()
    console.countReset()
    console.count()
    console.groupEnd()
    console.groupEnd()
    console.timeEnd('none')
    console.log('end')`
  let expected = ''
  const stream = new Writable({ write: (chunk, _encoding, done) => done(void (expected += String(chunk))) })
  // Node.js warns of a timer that does not exist.
  await new AsyncFunction('console', code.replace("console.timeEnd('none')", ''))(new Console(stream))
  let printed = ''
  const bus = await start()
  const onStdio = (text: string): void => void (printed += text)
  await bus.run(
    `${code}; console.time('it'); console.timeLog('it', { a: 1 }); console.timeEnd('it'); console.timeEnd('it')`,
    {
      onStdio,
    },
  )
  expect(printed.split('\n').slice(0, -3)).toEqual(expected.trimEnd().split('\n'))
  expect(printed.split('\n').slice(-3)).toEqual([
    expect.stringMatching(/^it: \d+\.\d{3}ms \{ a: 1 \}$/),
    expect.stringMatching(/^it: \d+\.\d{3}ms$/),
    '',
  ])
})
