// @vitest-environment jsdom
// Vite runs the code of packages that are linked.
import { createTestBus } from '@sallyport/core/testing'
import { os } from '@sallyport/tauri-plugins'
import { expect, test } from 'vitest'

test('a page calls what its configuration allows', async () => {
  const config = `${process.cwd()}/src-tauri`
  const { client, close } = await createTestBus({ config, core: { plugins: [os()] } })
  expect(await client.invoke('plugin:os|locale')).not.toBeUndefined()
  await expect(client.invoke('plugin:os|hostname')).rejects.toThrow('not allowed')
  await close()
})
