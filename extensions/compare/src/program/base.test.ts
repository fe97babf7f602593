import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { getPreparation, prepare } from './base.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sallyport-prepare-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const signal = new AbortController().signal

describe('the preparation of a checkout', () => {
  const prepared = (lock: string | null, manifest: object): string => {
    const checkout = mkdtempSync(join(directory, 'checkout-'))
    if (lock) writeFileSync(join(checkout, lock), '')
    writeFileSync(join(checkout, 'package.json'), JSON.stringify(manifest))
    return getPreparation(checkout)
  }

  test('is the installation that its lock file asks for', () =>
    rows([
      ['pnpm-lock.yaml', { packageManager: 'pnpm@9.1.0+sha512.abc' }, 'npx --yes pnpm@9.1.0 install --frozen-lockfile'],
      ['pnpm-lock.yaml', {}, 'npx --yes pnpm install --frozen-lockfile'],
      ['yarn.lock', {}, 'npx --yes yarn install'],
      ['package-lock.json', { scripts: { build: 'tsc' } }, 'npm ci && npm run build'],
      [null, { scripts: { build: 'tsc' } }, 'npm run build'],
      [null, {}, ''],
    ])((lock, manifest, line) => expect(prepared(lock, manifest)).toBe(line)))

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
