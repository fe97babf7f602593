// A worker that can read what nobody has granted says so, or does not start; one that is under no permission model never starts.
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

test('gives the folder that can be read, and takes away the rest all the same', () => {
  allow(join('/secrets', 'any'))
  expect(enterSandbox({ stray: '/secrets', strict: false })).toBe('/secrets')
  expect(harden).toHaveBeenCalledOnce()
})

test('is content where nothing can be read, or where it was granted', () => {
  allow()
  expect(enterSandbox({ stray: '/secrets', strict: true })).toBeUndefined()
  allow(join('/secrets', 'any'))
  expect(enterSandbox({ stray: undefined, strict: true })).toBeUndefined()
  expect(harden).toHaveBeenCalledTimes(2)
})

test('does not start where it is strict', () => {
  allow(join('/secrets', 'any'))
  expect(() => enterSandbox({ stray: '/secrets', strict: true })).toThrow(/^The sandbox is strict, and Node /)
})

test('does not start without the model', () => {
  Object.defineProperty(process, 'permission', { configurable: true, value: undefined })
  expect(() => enterSandbox({ stray: undefined, strict: false })).toThrow(/not under Node’s permission model/)
})
