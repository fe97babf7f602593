// The host as a program of its own: Node reads NODE_EXTRA_CA_CERTS as it starts.
import { bubblewrap } from '@sallyport/core/launchers'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose, rows } from '../../../scripts/testing.js'

const hasWall = await bubblewrap().then(
  () => true,
  () => false,
)

const directory = mkdtempSync(join(tmpdir(), 'sallyport-sdks-'))
const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
beforeAll(() => {
  const request = ['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-days', '1']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Other versions of Node.js come from the npm registry. */
const versions = [`${process.versions.node} (this one)`, '22', '24', '26']

describe.runIf(hasWall).each(choose(versions, 0))('on Node.js %s', version => {
  interface Output {
    results: Record<string, string>
    denied: unknown
    other: string
  }
  let output: Output
  beforeAll(async () => {
    const program = [fileURLToPath(new URL('../host.js', import.meta.url)), key, cert]
    const [command, ...args] = version.endsWith('(this one)')
      ? [process.execPath, ...program]
      : ['npx', '--yes', '--package', `node@${version}`, 'node', ...program]
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: cert }
    const { stdout } = await promisify(execFile)(command!, args, { env })
    output = JSON.parse(stdout) as Output
  }, 300_000)

  test('each SDK works unmodified, and its key arrives at the listed host', () =>
    rows([
      ['octokit', 'key-of-github'],
      ['openai', 'key-of-openai'],
      ['openaiStream', 'key-of-openai'],
      ['anthropic', 'key-of-anthropic'],
    ])((name, value) => {
      expect(output.results[name]).toBe(value)
    }))

  test('a host that is not listed is denied, with the entry to add', () => {
    const { other, results, denied } = output
    expect(results['elsewhere']).toContain(`The sandbox denied the network to ${other}`)
    expect(denied).toEqual({ command: `net ${other}`, hint: `Add "${other}" to "net" of its sandbox` })
  })
})
