// Packages of npm in the sandboxes: those that work in plain Node work there, or say what is denied and what to use instead.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { createBus, type Bus, type Sandbox } from '@sallyport/core'
import { bubblewrap, deno } from '@sallyport/core/launchers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose, rows } from '../../../scripts/testing.js'
import * as uses from '../uses.mjs'

type Uses = Readonly<Record<string, () => Promise<unknown>>>
const { denied, network, working } = uses as Record<'denied' | 'network' | 'working', Uses>

const hasWall = await bubblewrap().then(
  () => true,
  () => false,
)
const sandboxes: [name: 'permission' | 'wall' | 'deno', sandbox: Sandbox][] = [['permission', 'permission']]
// The program of the package, whose install script has not run. There is none for musl.
const program = createRequire(createRequire(import.meta.url).resolve('deno/package.json')).resolve(
  `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}/deno`,
)
sandboxes.push(['deno', { kind: 'process', wall: await deno({ deno: program }) }])
if (hasWall) sandboxes.push(['wall', { kind: 'process', wall: 'required' }])
/** Before version 25, Node.js denies no network. */
const isNetDenied = process.allowedNodeEnvironmentFlags.has('--allow-net')

const addon =
  /The sandbox denied the native addon \S+\.node\. Use a package in JavaScript or WebAssembly, call a command/
const command = /The sandbox denied \w+.*\. Call a command that does it/
/** What each package says that is denied, in each sandbox. */
const messages: Record<string, RegExp> = {
  argon2: addon,
  bcrypt: addon,
  lightningcss: addon,
  'oxc-parser': addon,
  conf: /FileSystemRead of .*config\.json/,
  execa: command,
  piscina: command,
  tmp: /The sandbox denied writes to .*(?:\btmp: 16\b|Use a directory of its own)/,
}

/** The values in plain Node, by package. */
let plain: Readonly<Record<string, unknown>>
beforeAll(() => {
  const program = fileURLToPath(new URL('../plain.mjs', import.meta.url))
  const output = execFileSync(process.execPath, [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  plain = JSON.parse(output.slice(output.lastIndexOf('\n'))).values
})

describe.each(choose(sandboxes))('in the sandbox %s', (kind, sandbox) => {
  let bus: Bus
  const open = (label: string): Promise<unknown> =>
    bus.open(label, new URL('../frontend.mjs', import.meta.url), { sandbox, onStdio: () => {} })
  const use = async (label: string, name: string): Promise<unknown> =>
    JSON.parse(await bus.call<string>(label, 'use', { name }, { timeout: 60_000 }))
  /** In a frontend of its own: on Node.js 20, an import that fails can reject a second promise, which ends the frontend. */
  async function useAlone(name: string): Promise<unknown> {
    const label = `alone-${name.replace(/\W/g, '')}`
    await open(label)
    try {
      return await use(label, name)
    } finally {
      await bus.closeFrontend(label)
    }
  }
  beforeAll(async () => {
    // Some compile for seconds on a busy machine, which blocks their thread.
    bus = await createBus({ core: { commands: {} }, log: false, supervision: { heartbeat: false } })
    await open('plugin')
  })
  afterAll(() => bus.close({ timeout: 0 }))

  test('packages work as in plain Node', () =>
    rows(choose(Object.keys(working), 0, 1, 2))(async name => {
      expect(await use('plugin', name)).toEqual(plain[name])
    }))

  test('packages that are denied say what is denied and what to use instead', () =>
    rows(choose(Object.entries(messages)))(async (name, message) => {
      await expect(useAlone(name)).rejects.toThrow(message)
    }))

  test('packages open the network, or say that it is denied', () =>
    rows(choose(Object.keys(network)))(async name => {
      const outcome = useAlone(name).catch(({ message }: Error) => message)
      const option = `add net: true to the frontend's sandbox, { kind: '${kind === 'permission' ? kind : 'process'}'`
      if (kind !== 'permission' || isNetDenied) expect(await outcome).toContain(option)
      else expect(await outcome).not.toContain('denied')
    }))

  test('every package that is denied has a message', () => {
    expect(Object.keys(messages)).toEqual(Object.keys(denied))
  })
})
