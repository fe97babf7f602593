// Hosts in places where Node itself cannot start all that a bus starts: each error names the cause and the remedy.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fixture } from '../support/start.js'
import { rows } from '../../../../scripts/testing.js'

const TALKS = `
import { createBus, defineCore } from '@sallyport/core'
const bus = await createBus({ core: defineCore({}), log: 'info' })
const source = 'for (let line = 0; line < 200; line++) console.error("a line")'
await bus.open('main', { source }, { sandbox: 'permission' })
await bus.close()
console.log('closed')
`

/** Since Node 26, V8 does without a range of its own for each memory. */
const RESERVES_ADDRESSES = Number.parseInt(process.versions.node) < 26
const host = fileURLToPath(fixture('host/odd-place.mjs'))

test.runIf(process.platform === 'linux')('what does not start says what the host lacks, and what to do', () =>
  rows<[command: string[], found: RegExp]>({
    'its working directory was removed': [
      [process.execPath, host, 'removed'],
      /^Crashed: frontend "run-\d" could not be started: the host's working directory was removed\. Call process\.chdir/,
    ],
    'no WebAssembly': [
      [process.execPath, '--jitless', host],
      /^InvalidParams: sandbox "quickjs" needs WebAssembly, which this Node\.js does not have\. Start it without --jitless/,
    ],
    ...(RESERVES_ADDRESSES && {
      'a limit of its addresses': [
        ['/bin/sh', '-c', 'ulimit -v 24000000; exec "$0" "$@"', process.execPath, host],
        /^(?:1$|(?:Crashed|LoadFailed): QuickJS found no free range of addresses\. .* raise the limit)/,
      ],
    }),
  })(async ([command, found]) => {
    const [program = '', ...args] = command
    const { stdout } = await promisify(execFile)(program, args)
    const outcomes = JSON.parse(stdout) as unknown[]
    for (const outcome of outcomes) expect(String(outcome)).toMatch(found)
    expect(outcomes).toContainEqual(expect.stringMatching(found))
  }),
)

test('a host whose log nobody reads any more goes on', async () => {
  const args = ['--input-type=module', '--eval', TALKS]
  const host = spawn(process.execPath, args, { cwd: fileURLToPath(new URL('../../', import.meta.url)) })
  host.stderr.destroy()
  let printed = ''
  host.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  expect(await once(host, 'close')).toEqual([0, null])
  expect(printed).toBe('closed\n')
})
