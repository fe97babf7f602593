import { afterEach, expect, test } from 'vitest'
import { connectHost } from '../network.js'
import { createBus } from './entry.js'

const versions = process.versions as Record<string, string | undefined>
const descriptor = Object.getOwnPropertyDescriptor(process, 'versions')!
afterEach(() => Object.defineProperty(process, 'versions', descriptor))

test.each(['Bun', 'Deno'])('refuses to start a bus on %s', async name => {
  Object.defineProperty(process, 'versions', {
    value: { ...versions, [name.toLowerCase()]: '1.0' },
    configurable: true,
  })
  const message = expect.stringMatching(
    `^${name} is not supported: .* Run .* Node.js. See the page "Versions and support"`,
  ) as string
  await expect(createBus({ core: new URL('file:///core.js') })).rejects.toMatchObject({
    reason: 'InvalidParams',
    message,
  })
  await expect(connectHost({}, { open: () => Promise.reject(new Error('x')) })).rejects.toMatchObject({ message })
})
