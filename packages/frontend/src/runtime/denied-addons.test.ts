import { afterEach, beforeEach, expect, test } from 'vitest'
import { findDeniedAddon, watchAddons } from './denied-addons.js'

const { dlopen } = process
const denial = (): Error => Object.assign(new Error('x'), { code: 'ERR_DLOPEN_DISABLED' })
const withStack = (file: string): Error => Object.assign(new Error('x'), { stack: `Error: x\n at ${file}:1:1` })

beforeEach(() => {
  process.dlopen = () => {
    throw denial()
  }
  watchAddons()
})
afterEach(() => void (process.dlopen = dlopen))

test('finds the addon of a denial, and of an error of the package that required it', () => {
  const parent = {
    filename: '/a/node_modules/.pnpm/x/node_modules/@img/x/index.cjs',
    parent: { filename: '/a/node_modules/sharp/lib.js' },
  }
  let thrown: unknown
  try {
    process.dlopen({ parent } as object, '/a/x.node')
  } catch (error) {
    thrown = error
  }
  expect(findDeniedAddon(thrown as Error)).toBe('/a/x.node')
  expect(findDeniedAddon(withStack('file:///a/node_modules/sharp/dist/index.mjs'))).toBe('/a/x.node')
  expect(findDeniedAddon(withStack('/b/node_modules/@img/x/index.cjs'))).toBe('/a/x.node')
  expect(findDeniedAddon(withStack('/a/node_modules/sharp-cli/index.cjs'))).toBeUndefined()
  expect(findDeniedAddon(denial())).toBeUndefined()
})
