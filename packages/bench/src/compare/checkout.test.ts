import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { preparationOf, prepare } from './checkout.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-prepare-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const signal = new AbortController().signal

describe('how a checkout is installed and built', () => {
  const given = (lock: string | null, manifest: object): string => {
    if (lock) writeFileSync(join(folder, lock), '')
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    return preparationOf(folder)
  }

  test.each([
    ['pnpm-lock.yaml', { packageManager: 'pnpm@9.1.0+sha512.abc' }, 'npx --yes pnpm@9.1.0 install --frozen-lockfile'],
    ['pnpm-lock.yaml', {}, 'npx --yes pnpm install --frozen-lockfile'],
    ['yarn.lock', {}, 'npx --yes yarn install'],
    ['package-lock.json', { scripts: { build: 'tsc' } }, 'npm ci && npm run build'],
    [null, { scripts: { build: 'tsc' } }, 'npm run build'],
    [null, {}, ''],
  ])('with %s and %j: %s', (lock, manifest, line) => {
    expect(given(lock, manifest)).toBe(line)
  })

  test('without a package.json there is nothing to do', () => {
    expect(preparationOf(folder)).toBe('')
  })
})

test('a command of the user’s takes the place of that; one that fails says so', async () => {
  const write = `node -e "require('fs').writeFileSync('made','')"`
  await prepare(folder, write, signal)
  rmSync(join(folder, 'made'))
  await expect(prepare(folder, 'exit 7', signal)).rejects.toThrow('`exit 7` failed in the checkout with exit code 7')
})

test('an abort ends all that the command has started', async () => {
  const controller = new AbortController()
  const reason = new Error('stop')
  const forever = `node -e "require('fs').writeFileSync('began',String(process.pid)); setInterval(() => {}, 1e6)"`
  const ended = prepare(folder, `${forever} && true`, controller.signal)
  const began = (): string => (existsSync(join(folder, 'began')) ? readFileSync(join(folder, 'began'), 'utf8') : '')
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
