import { afterEach, expect, test, vi } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createRemoteHost } from '../network.js'
import { defineCore } from '../api/define.js'
import { createBus } from './entry.js'

const versions = process.versions as Record<string, string | undefined>
const descriptor = Object.getOwnPropertyDescriptor(process, 'versions')!
afterEach(() => {
  Object.defineProperty(process, 'versions', descriptor)
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

test('where another runtime is tried, what would hold nothing there is refused by name', () =>
  rows([
    ['Bun', { bun: '1.0' }],
    ['Deno', { deno: '1.0' }],
  ])(async (name, others) => {
    vi.stubEnv('SALLYPORT_TRY_RUNTIME', '1')
    const open = async (options: object) => {
      Object.defineProperty(process, 'versions', { value: { ...versions, ...others }, configurable: true })
      return createBus({ core: defineCore({}), log: false, ...options })
    }
    const module = new URL('file:///none.js')
    await rows([
      [
        { frontends: { a: { module } } },
        `frontends.a.sandbox "permission" is not available on ${name}: it ignores the permission model`,
      ],
      [
        { frontends: { a: { module, sandbox: 'process' } } },
        `the host runs in ${name.toLowerCase()}, which would start itself`,
      ],
      [
        { isolation: { dir: module } },
        `createBus: isolation is not available on ${name}: its hook does not answer there`,
      ],
    ])((options, message) => expect(open(options)).rejects.toThrow(message))
  }))

test('refuses to start a bus among the globals of a DOM', async () => {
  vi.stubGlobal('structuredClone', undefined)
  await expect(createBus({ core: new URL('file:///core.js') })).rejects.toThrow(
    'needs the environment jest-fixed-jsdom',
  )
})

test('refuses to start a bus on other runtimes', () =>
  rows([
    ['Bun', { bun: '1.0' }, /^Bun is not supported: .* Run .* Node.js. See the page "Versions and support"/],
    ['Deno', { deno: '1.0' }, /^Deno is not supported: .* Run .* Node.js. See the page "Versions and support"/],
    [
      'an older Node.js',
      { node: '20.9.0' },
      /^This is Node.js 20.9.0, and Sallyport needs \d+.\d+ or later. Update Node.js$/,
    ],
  ])(async (_name, others, text) => {
    Object.defineProperty(process, 'versions', { value: { ...versions, ...others }, configurable: true })
    const message = expect.stringMatching(text) as string
    await expect(createBus({ core: new URL('file:///core.js') })).rejects.toMatchObject({
      reason: 'InvalidParams',
      message,
    })
    await expect(
      createRemoteHost({}, { where: 'x', name: 'x', subject: 'x' }, () => expect.unreachable()),
    ).rejects.toMatchObject({ message })
  }))
