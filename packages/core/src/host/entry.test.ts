import { afterEach, expect, test } from 'vitest'
import { rows } from '../../../../scripts/testing.js'
import { createRemoteHost } from '../network.js'
import { createBus } from './entry.js'

const versions = process.versions as Record<string, string | undefined>
const descriptor = Object.getOwnPropertyDescriptor(process, 'versions')!
afterEach(() => Object.defineProperty(process, 'versions', descriptor))

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
