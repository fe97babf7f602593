// Calls of all commands of all plugins with values of wrong types, made from a seed. Some values are nearly right: paths that exist, and
// numbers of resources that earlier calls have opened.
import { type Bus, type Client, createBus, defineCore, type Plugin } from '@sallyport/core'
import fc from 'fast-check'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  clipboardManager,
  dialog,
  fs,
  http,
  log,
  notification,
  opener,
  os,
  process,
  shell,
  store,
} from '../../src/index.js'
import { collectUnhandled } from '../http/client.js'

const nothing = (): undefined => undefined

/** The names of all plugins of the package. */
export const NAMES = [
  ...['fs', 'http', 'store', 'log', 'os', 'opener', 'shell', 'dialog', 'notification', 'clipboard-manager', 'process'],
] as const

const createPlugins = (directory: string): Plugin[] => [
  ...[fs(), http({ limits: { headersMs: 1000, connectMs: 1000 } }), store({ directory }), log(), os()],
  ...[opener({ open: nothing, reveal: nothing }), shell({ open: nothing })],
  dialog({ message: nothing, open: () => null, save: () => null }),
  notification({ notify: nothing }),
  clipboardManager({ readText: () => '', writeText: nothing, writeHtml: nothing, writeImage: nothing, clear: nothing }),
  process({ exit: nothing, restart: nothing }),
]

const MEMBERS = [
  ...[
    'rid',
    'path',
    'paths',
    'fromPath',
    'toPath',
    'oldPath',
    'newPath',
    'options',
    'onEvent',
    'len',
    'data',
    'offset',
  ],
  ...['whence', 'clientConfig', 'key', 'value', 'ignoreDefaults', 'level', 'message', 'location', 'file', 'line'],
  ...[
    'keyValues',
    'url',
    'with',
    'title',
    'kind',
    'buttons',
    'okButtonLabel',
    'text',
    'html',
    'altText',
    'image',
    'code',
  ],
]
const OPTIONS = [
  ...[
    'baseDir',
    'read',
    'write',
    'append',
    'truncate',
    'create',
    'createNew',
    'mode',
    'recursive',
    'delayMs',
    'encoding',
  ],
  ...['fromPathBaseDir', 'oldPathBaseDir', 'defaults', 'autoSave', 'serializeFnName', 'overrideDefaults', 'multiple'],
  ...[
    'directory',
    'filters',
    'defaultPath',
    'id',
    'title',
    'body',
    'icon',
    'method',
    'url',
    'headers',
    'data',
    'proxy',
  ],
  ...[
    'maxRedirections',
    'connectTimeout',
    'danger',
    'OkCustom',
    'YesNoCancelCustom',
    '__proto__',
    'length',
    'toString',
  ],
]

/** Errors of a mistake in a plugin, and not of its caller. */
const MISTAKE =
  /is not (?:a function|iterable|defined|a constructor)|Cannot (?:read|set|convert|destructure|mix|access)|undefined \(|Maximum call stack|out of range|ERR_(?:OUT_OF_RANGE|INVALID_ARG)|argument must be|Assertion|Internal/i

export interface Fuzzed {
  readonly unhandled: readonly unknown[]
  /** Calls and errors that no frontend should cause. */
  readonly mistakes: readonly string[]
  readonly settled: number
  /** Whether the plugin answers a good call afterwards. */
  readonly lives: boolean
}

/** Calls the commands of one plugin, some at a time. */
export async function fuzz(name: (typeof NAMES)[number], calls: number, seed: number): Promise<Fuzzed> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'sallyport-fuzz-')))
  const files = join(directory, 'files')
  const server = createServer((_request, response) => void response.end('ok'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  let bus: Bus | undefined
  try {
    await mkdir(files)
    await writeFile(join(files, 'a.txt'), 'one\ntwo\n')
    const plugin = createPlugins(join(directory, 'stores')).find(each => each.name === name)!
    const commands = Object.keys(plugin.commands ?? {})
    const entries: Readonly<Record<string, readonly unknown[]>> = {
      fs: [files, `${files}/**`],
      http: [`${origin}*`],
      opener: [{ url: 'https://*' }, { path: `${files}/**` }],
    }
    const permissions = commands.map(command => `${name}:allow-${command.replaceAll('_', '-')}`)
    // Older guests call these, which have no permission of their own.
    const known = permissions.filter(identifier => identifier !== 'fs:allow-close')
    const allow = entries[name] ? known.map(permission => ({ permission, allow: entries[name]! as never })) : known
    bus = await createBus({ core: defineCore({ plugins: [plugin] }), log: false })
    const client = await bus.connect('main', { allow })
    const mistakes: string[] = []
    let settled = 0
    const unhandled = await collectUnhandled(async () => {
      const rids: number[] = [0]
      const each = createCalls(commands, files, origin)
      for (let made = 0; made < calls; made += AT_A_TIME) {
        const batch = fc.sample(each, { numRuns: Math.min(AT_A_TIME, calls - made), seed: seed + made })
        await Promise.all(
          batch.map(async ([command, args, headers]) => {
            const text = await call(client, `plugin:${name}|${command}`, args, headers, rids)
            settled++
            if (text !== undefined && MISTAKE.test(text)) mistakes.push(`${command} ${JSON.stringify(args)}: ${text}`)
          }),
        )
        // Open resources have a limit, beyond which no call does anything.
        for (const rid of rids.splice(1)) await client.invoke('plugin:resources|close', { rid }).catch(nothing)
      }
    })
    const error = await client.invoke(`plugin:${name}|${commands[0]!}`, {}).then(nothing, (reason: Error) => reason)
    const lives = error === undefined || !/Disconnected|Timeout|closed/.test(error.message)
    return { unhandled, mistakes, settled, lives }
  } finally {
    await bus?.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await rm(directory, { recursive: true, force: true })
  }
}

const AT_A_TIME = 100
/** Stands for the number of a resource that is open. */
const OPEN_RID = 'rid of a resource'
/** Stands for a channel. */
const CHANNEL = 'a channel'

function createCalls(
  commands: readonly string[],
  files: string,
  origin: string,
): fc.Arbitrary<[string, unknown, Record<string, string>]> {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      ...[
        null,
        true,
        false,
        0,
        -0,
        -1,
        0.5,
        2 ** 31,
        2 ** 32,
        2 ** 53,
        '',
        '1',
        '..',
        '/',
        'a\0',
        'a\ud800',
        '__proto__',
      ],
      ...[[], {}, [[]], { toString: 1 }, { length: 3 }, [1], [256], ['a'], 1, 2, 3, 'info', 'YesNo', 'utf-16le'],
    ),
    fc.constantFrom(
      files,
      `${files}/a.txt`,
      `${files}/b`,
      `file://${files}/a.txt`,
      'a.json',
      origin,
      'https://a.example/',
    ),
    fc.constantFrom(OPEN_RID, CHANNEL),
    fc.string({ maxLength: 20 }),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const options = fc.dictionary(fc.constantFrom(...OPTIONS), odd, { maxKeys: 6 })
  const request = fc.record(
    {
      method: odd,
      url: fc.constantFrom<unknown>(origin, 'data:,a', 5),
      headers: fc.oneof(fc.constant([]), odd),
      data: odd,
    },
    { requiredKeys: ['url'] },
  )
  const value = fc.oneof({ weight: 3, arbitrary: odd }, options, fc.array(odd, { maxLength: 3 }), request)
  const args = fc.oneof(
    { weight: 9, arbitrary: fc.dictionary(fc.constantFrom(...MEMBERS), value, { maxKeys: 8 }) },
    fc.constantFrom<unknown>(new Uint8Array([1, 2]), [1, 2], [300], null),
  )
  const text = fc.constantFrom(
    'undefined',
    '{}',
    '[]',
    '{',
    'null',
    '{"append":1}',
    '%ff',
    `${files}/c`,
    encodeURIComponent(files),
  )
  return fc.tuple(fc.constantFrom(...commands), args, fc.dictionary(fc.constantFrom('path', 'options'), text))
}

/** Returns the text of an error. */
async function call(
  client: Client,
  method: string,
  args: unknown,
  headers: Record<string, string>,
  rids: number[],
): Promise<string | undefined> {
  const fill = (value: unknown): unknown => {
    if (value === OPEN_RID) return rids.at(-1)
    if (value === CHANNEL) return new client.Channel()
    return value
  }
  const isPlain = typeof args === 'object' && args !== null && !Array.isArray(args) && !(args instanceof Uint8Array)
  const sent = isPlain ? Object.fromEntries(Object.entries(args).map(([name, value]) => [name, fill(value)])) : args
  try {
    const result = await client.invoke<unknown>(method, sent as never, { headers })
    if (typeof result === 'number') rids.push(result)
    return undefined
  } catch (error) {
    const { message, data } = error as { message: string; data?: unknown }
    return `${message} ${typeof data === 'string' ? data : ''}`
  }
}
