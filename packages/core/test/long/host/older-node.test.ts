// What an older Node.js is told: by `createBus`, after any entry that a program can import, and by each command.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

interface Manifest {
  exports?: Record<string, { default?: string }>
  bin?: Record<string, string>
  engines: { node: string }
}
const root = fileURLToPath(new URL('../../../../../', import.meta.url))
const manifests = ['packages', 'extensions']
  .flatMap(top => readdirSync(join(root, top)).map(name => `${top}/${name}`))
  .filter(name => existsSync(join(root, name, 'package.json')))
  .map(name => [name, JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')) as Manifest] as const)
const entries = manifests.flatMap(([name, { exports = {} }]) =>
  Object.entries(exports)
    .filter(([id, { default: file }]) => !/internal|worker/.test(id) && file?.endsWith('.js'))
    .map(([, { default: file }]) => pathToFileURL(join(root, name, file!)).href),
)
const commands = manifests.flatMap(([name, { bin = {} }]) => Object.values(bin).map(file => join(root, name, file)))

// It can be downloaded.
test.each(['18', '20.18'])('Node %s is told which one is needed', { timeout: 300_000 }, version => {
  const npx = ['--yes', '-p', `node@${version}`, 'node', '-p', 'process.execPath']
  const node = spawnSync('npx', npx, { encoding: 'utf8' }).stdout.trim()
  const run = (...args: string[]) => {
    const { status, stderr } = spawnSync(node, args, { encoding: 'utf8' })
    return [status, stderr.split('\n').find(line => line.includes('Node.js'))]
  }
  const needed = manifests.find(([name]) => name === 'packages/core')![1].engines.node.slice(2)
  const message = expect.stringMatching(
    RegExp(`: This is Node.js ${version}\\..*, and Sallyport needs ${needed} or later. `),
  )
  const program = `for (const entry of ${JSON.stringify(entries)}) await import(entry)
    await (await import(${JSON.stringify(entries.find(entry => entry.includes('/core/')))})).createBus({})`
  expect(run('--input-type=module', '--eval', program)).toEqual([1, message])
  // To those that compare, 1 is a figure that became worse.
  const codes = commands.map(command => {
    const [code, said] = run(command, 'doctor')
    expect(said, command).toEqual(message)
    return `${code}`
  })
  expect(codes.toSorted().join(' ')).toBe('1 1 2 2')
  expect(entries.length).toBeGreaterThan(9)
})
