// Makes a folder as a user would: the settings of a package manager, the packages by name, and the programs to run there.
import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/**
 * Resolves to what it printed, and how it ended. Never rejects for its exit code.
 *
 * @param {readonly string[]} command
 * @param {string} cwd
 * @param {Record<string, string>} env
 */
export async function run([program = '', ...args], cwd, env = {}) {
  const child = spawn(program, args, { cwd, shell: process.platform === 'win32', env: { ...process.env, ...env } })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', text => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (output.stderr += text))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  return { ...output, code }
}

/** The registry that this machine's npm is set to. */
const usualRegistry = async () => (await run(['npm', 'config', 'get', 'registry'], root)).stdout.trim()

/**
 * Installs core, frontend and inspector into `folder`, with the README's example and the program of tests/bundled/src beside them.
 *
 * @param {string} folder made where it is missing
 * @param {{ add: string[], settings?: (local: string, registry: string) => Record<string, string> }} layout
 * @param {string} local address of the registry that has the packed packages
 */
export async function install(folder, { add, settings = () => ({}) }, local) {
  await mkdir(folder, { recursive: true })
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const programs = [...readme.matchAll(/^```js\n(\/\/ (\S+)\n[^]*?)^```$/gm)].map(([, code, name]) => [name, code])
  const [, output] = /^```text\n\$ node app\.mjs\n([^]*?)^```$/m.exec(readme) ?? []
  const all = {
    'package.json': '{ "name": "app", "private": true }',
    '.npmrc': `@sallyport:registry=${local}/\n`,
    ...settings(local, await usualRegistry()),
    ...Object.fromEntries(programs),
  }
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text)
  await cp(join(root, 'tests/bundled/src'), join(folder, 'app'), { recursive: true })
  const added = await run([...add, '@sallyport/core', '@sallyport/frontend', '@sallyport/inspector'], folder)
  if (added.code !== 0) throw new Error(`${add.join(' ')} failed\n${added.stdout}${added.stderr}`)
  return { output }
}
