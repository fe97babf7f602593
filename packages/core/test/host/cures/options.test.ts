// Every cure that an error proposes is tried: each row provokes an error, reads the cure from its text, applies it, and nothing fails any more.
// Not tried, because it needs another machine or system packages: installs of launchers (`doctor` names the same program), other runtimes, NATS,
// limits of the operating system, other versions of Node.js.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command, defineCore } from '@sallyport/core'
import { afterAll, describe, test } from 'vitest'
import { rows } from '../../../../../scripts/testing.js'
import { evaluate, type Row, toModule, tryCure, withBus } from '../../support/cures.js'
import { fixture } from '../../support/start.js'

describe('a cure of an option', () => {
  const open = (options: object) => withBus({ frontends: { plugin: { module: toModule(''), ...options } } })
  const parent = mkdtempSync(join(tmpdir(), 'sallyport-cures-'))
  writeFileSync(join(parent, 'empty.mjs'), '')
  afterAll(() => rmSync(parent, { recursive: true }))

  const kinds: Row[1] = () => open({ sandbox: 'worker' })
  const options: Row[] = [
    [
      'true as isolation',
      () => withBus({ isolation: true }),
      /such as (\{ .+ \}): got/,
      code => withBus({ isolation: evaluate(code.replace('dist-isolation', 'judge')) }),
    ],
    [
      'a relative path',
      () => withBus({ core: './core.mjs' }),
      /as in (new URL\(.+?\)): got/,
      code => withBus({ core: evaluate(code.replace('core.mjs', '../../core.mjs')) }),
    ],
    [
      'code as a module',
      () => withBus({ frontends: { plugin: "import '@sallyport/frontend'" } }),
      /or (\{ source, name \}) for code as text/,
      code => withBus({ frontends: { plugin: { module: evaluate(code, { source: '', name: 'a.mjs' }) } } }),
    ],
    [
      'permissions of a frontend',
      () => open({ permissions: ['greet'] }),
      /permissions": use (\w+)/,
      name => open({ [name]: ['greet'] }),
    ],
    [
      'plugins of a bus',
      () => withBus({ plugins: {} }),
      /unknown option "plugins": use (\w+)/,
      name => withBus({ [name]: {} }),
    ],
    [
      'a misspelt option',
      () => open({ sanbox: 'none' }),
      /did you mean "(\w+)"/,
      name => open({ [name]: 'permission' }),
    ],
    [
      'allow in the wrong place',
      () => withBus({ allow: ['greet'] }),
      /it belongs at (\w+)\.<label>\.(\w+)/,
      (place, name) => withBus({ [place]: { plugin: { module: toModule(''), [name]: ['greet'] } } }),
    ],
    [
      'a command that does not exist in allow',
      () => open({ allow: ['gret'] }),
      /did you mean "(\w+)"/,
      name => open({ allow: [name] }),
    ],
    [
      'an unknown sandbox, none',
      kinds,
      /must be "(none)"/,
      sandbox => open({ module: join(parent, 'empty.mjs'), sandbox }),
    ],
    ['an unknown sandbox, permission', kinds, /"(permission)"/, sandbox => open({ sandbox })],
    ['an unknown sandbox, process', kinds, /"(process)"/, sandbox => open({ sandbox })],
    [
      'memory with a unit',
      () => open({ sandbox: { kind: 'process', memory: '128mb' } }),
      /must be MiB, at least (\d+)/,
      least => open({ sandbox: { kind: 'process', memory: Number(least) + 100 } }),
    ],
    [
      'a time with a unit',
      () => open({ loadTimeout: '5s' }),
      /must be (whole milliseconds), from 1/,
      () => open({ loadTimeout: 60_000 }),
    ],
    [
      'a directory of read that does not exist',
      () => open({ sandbox: { kind: 'permission', read: [join(parent, 'read')] } }),
      /"?([^ "]+)"? cannot be read\. Make it before/,
      path => {
        mkdirSync(path)
        return open({ sandbox: { kind: 'permission', read: [path] } })
      },
    ],
    [
      'a directory of write that does not exist',
      () => open({ sandbox: { kind: 'process', write: [join(parent, 'write')] } }),
      /"?([^ "]+)"? cannot be read\. Make it before/,
      path => {
        mkdirSync(path)
        return open({ sandbox: { kind: 'process', write: [path] } })
      },
    ],
    [
      'a file in write',
      () => open({ sandbox: { kind: 'process', write: [join(parent, 'empty.mjs')] } }),
      /is a file\. List its (directory)/,
      () => open({ sandbox: { kind: 'process', write: [join(parent, 'write')] } }),
    ],
    [
      'a directory as a module',
      () => withBus({ core: new URL('.', fixture('core.mjs')) }),
      /is a directory\. Name a (file) in it/,
      () => withBus({ core: fixture('core.mjs') }),
    ],
    [
      'hosts of a script that has no process',
      () => open({ sandbox: { kind: 'quickjs', net: ['a.example'] } }),
      /it needs (process: true)/,
      option => open({ sandbox: evaluate(`{ kind: 'quickjs', net: ['a.example'], ${option} }`) }),
    ],
  ]
  if (!process.allowedNodeEnvironmentFlags.has('--allow-net')) {
    const fails: Row[1] = () => open({ sandbox: { kind: 'permission', net: ['a.example'] } })
    options.push(
      [
        'hosts where Node cannot deny the network, in a script',
        fails,
        /use sandbox: \{ (kind: "quickjs") \}, with (process: true) for a list of hosts/,
        (kind, option) => open({ sandbox: evaluate(`{ ${kind}, ${option}, net: ['a.example'] }`) }),
      ],
      [
        'no network where Node cannot deny it, in a script',
        () => open({ sandbox: { kind: 'permission', net: false } }),
        /use sandbox: (\{ kind: "quickjs" \})/,
        sandbox => open({ sandbox: evaluate(sandbox) }),
      ],
    )
  }

  test('of createBus and its frontends is accepted', () => rows(options)(tryCure))
})

describe('a cure of a definition', () => {
  const define = command as unknown as (...args: unknown[]) => unknown
  const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }
  const definitions: Row[] = [
    [
      'a schema in the place of options',
      () => define(schema, () => 1),
      /(command\(\{ args: schema \}, handler\))/,
      code => evaluate(code, { command: define, schema, handler: () => 1 }),
    ],
    [
      'options behind the handler',
      () => define(() => 1, { args: schema }),
      /the options come first: (command\(\{ args: ?\S+ \}, \w+\))/,
      code => evaluate(code, { command: define, schema, handler: () => 1 }),
    ],
    [
      'two commands with one permission',
      () => withBus({ core: defineCore({ commands: { read_note: () => 1, 'read-note': () => 1 } }) }),
      /share the permission \S+\. (Rename) one of them/,
      () => withBus({ core: defineCore({ commands: { read_note: () => 1, readNotes: () => 1 } }) }),
    ],
    [
      'a capability of no frontend',
      () => withBus({ capabilities: [{ identifier: 'all', windows: [], permissions: ['allow-greet'] }] }),
      /Add its labels, as in ("windows": \["main"\])/,
      code =>
        withBus({ capabilities: [{ identifier: 'all', permissions: ['allow-greet'], ...JSON.parse(`{${code}}`) }] }),
    ],
    [
      'a misspelt permission',
      () => withBus({ capabilities: [{ identifier: 'all', windows: ['main'], permissions: ['allow-gret'] }] }),
      /did you mean "([\w-]+)"/,
      name => withBus({ capabilities: [{ identifier: 'all', windows: ['main'], permissions: [name] }] }),
    ],
  ]

  test('is accepted', () => rows(definitions)(tryCure))
})
