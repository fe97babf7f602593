import { expect, test } from 'vitest'
import { HostCode } from './host-code.js'
import { loadQuickJs } from './quickjs-plugins.js'

async function startPlugin() {
  const code = new HostCode()
  const called = code.waitForCall()
  const plugin = await (await loadQuickJs(code)).start()
  await called
  code.reset()
  return { code, plugin }
}

test('a plugin in QuickJS makes every call that is requested', async () => {
  const { code, plugin } = await startPlugin()
  await plugin.request('call_each', { count: 5 })
  expect(code.arrivals).toHaveLength(5)
  await plugin.request('call_many', { count: 2 })
  await plugin.request('send_bytes', { count: 1 })
  expect(code.arrivals).toHaveLength(5 + 2 * 64 + 1)
})

test('its endless loop ends', async () => {
  const { plugin } = await startPlugin()
  expect(await plugin.endLoop()).toBeGreaterThan(0)
})
