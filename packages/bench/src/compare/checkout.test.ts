import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { getPreparation, makeHarness, prepare } from './checkout.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-prepare-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const signal = new AbortController().signal

describe('the preparation of a checkout', () => {
  const prepared = (lock: string | null, manifest: object): string => {
    if (lock) writeFileSync(join(directory, lock), '')
    writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
    return getPreparation(directory)
  }

  test.each([
    ['pnpm-lock.yaml', { packageManager: 'pnpm@9.1.0+sha512.abc' }, 'npx --yes pnpm@9.1.0 install --frozen-lockfile'],
    ['pnpm-lock.yaml', {}, 'npx --yes pnpm install --frozen-lockfile'],
    ['yarn.lock', {}, 'npx --yes yarn install'],
    ['package-lock.json', { scripts: { build: 'tsc' } }, 'npm ci && npm run build'],
    [null, { scripts: { build: 'tsc' } }, 'npm run build'],
    [null, {}, ''],
  ])('is with %s and %j: %s', (lock, manifest, line) => {
    expect(prepared(lock, manifest)).toBe(line)
  })

  test('is empty without a package.json', () => {
    expect(getPreparation(directory)).toBe('')
  })
})

test('runs a command of the user, and reports its failure', async () => {
  const write = `node -e "require('fs').writeFileSync('made','')"`
  await prepare(directory, write, signal)
  rmSync(join(directory, 'made'))
  await expect(prepare(directory, 'exit 7', signal)).rejects.toThrow('`exit 7` failed in the checkout with exit code 7')
})

test('ends all that the command has started when it is aborted', async () => {
  const controller = new AbortController()
  const reason = new Error('stop')
  const forever = `node -e "require('fs').writeFileSync('began',String(process.pid)); setInterval(() => {}, 1e6)"`
  const ended = prepare(directory, `${forever} && true`, controller.signal)
  const began = (): string =>
    existsSync(join(directory, 'began')) ? readFileSync(join(directory, 'began'), 'utf8') : ''
  await expect.poll(began).not.toBe('')
  const pid = Number(began())
  controller.abort(reason)
  await expect(ended).rejects.toBe(reason)
  await expect.poll(() => isRunning(pid)).toBe(false)
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('a harness', () => {
  const root = realpathSync(fileURLToPath(new URL('../../../../', import.meta.url)))
  const place = mkdtempSync(join(realpathSync(tmpdir()), 'sallyport-harness-'))
  afterAll(() => rmSync(place, { recursive: true }))

  function install(...path: string[]): string {
    const made = join(place, ...path)
    mkdirSync(made, { recursive: true })
    writeFileSync(join(made, 'package.json'), '{}')
    return made
  }

  const lead = (entry: URL, name: string): string =>
    realpathSync(fileURLToPath(new URL(`../node_modules/${name}`, entry)))

  test('the harness of the head resolves the same libraries as this package', () => {
    const head = makeHarness(join(place, 'head'))
    expect(existsSync(head)).toBe(true)
    expect(existsSync(new URL('../hooks', head))).toBe(true)
    expect(lead(head, '@sallyport/core')).toBe(join(root, 'packages', 'core'))
  })

  test('the harness of a checkout replaces only our own libraries', () => {
    const core = install('app', 'node_modules', '@sallyport', 'core')
    const base = makeHarness(join(place, 'base'), join(place, 'app'))
    expect(lead(base, '@sallyport/core')).toBe(core)
    expect(existsSync(new URL('../node_modules/@sallyport/web', base))).toBe(false)
    expect(lead(base, 'birpc')).toBe(realpathSync(join(root, 'packages', 'bench', 'node_modules', 'birpc')))
  })

  test('lets a sandbox read the places where packages really lie', () => {
    const entry = makeHarness(join(place, 'sandboxed'))
    const above: string[] = []
    for (let at = dirname(fileURLToPath(entry)); at !== place; at = dirname(at)) {
      if (existsSync(join(at, 'node_modules'))) above.push(realpathSync(join(at, 'node_modules')))
    }
    expect(above).toContain(join(root, 'node_modules'))
  })

  test('rejects a checkout without Sallyport, even inside a directory that has it', () => {
    install('app', 'within')
    expect(() => makeHarness(join(place, 'none'), join(place, 'app', 'within'))).toThrow('has no @sallyport/core')
  })
})
