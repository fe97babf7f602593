// @vitest-environment-options { "alone": "enter-sandbox" }
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { enterSandbox } from './enter-sandbox.js'

const harden = vi.hoisted(() => vi.fn<() => void>())
vi.mock('./harden.js', () => ({ harden }))

const before = Object.getOwnPropertyDescriptor(process, 'permission')
beforeEach(() => void harden.mockClear())
afterEach(() => {
  if (before) Object.defineProperty(process, 'permission', before)
  else Reflect.deleteProperty(process, 'permission')
})

function allow(...readable: string[]): void {
  const has = (scope: string, path: string): boolean => scope === 'fs.read' && readable.includes(path)
  Object.defineProperty(process, 'permission', { configurable: true, value: { has } })
}

test('returns the directory that can be read without a grant, and hardens the thread', async () => {
  allow(join('/secrets', 'any'))
  expect(await enterSandbox({ unexpectedRead: '/secrets' })).toBe('/secrets')
  expect(harden).toHaveBeenCalledOnce()
})

test('returns nothing when no directory can be read, or the working directory was granted', async () => {
  allow()
  expect(await enterSandbox({ unexpectedRead: '/secrets' })).toBeUndefined()
  allow(join('/secrets', 'any'))
  expect(await enterSandbox({ unexpectedRead: undefined })).toBeUndefined()
  expect(harden).toHaveBeenCalledTimes(2)
})

test('throws without the permission model', async () => {
  Object.defineProperty(process, 'permission', { configurable: true, value: undefined })
  await expect(enterSandbox({ unexpectedRead: undefined })).rejects.toThrow(
    /does not run under Node's permission model/,
  )
})
