// @vitest-environment jsdom
// The editor in a jsdom, as a Tauri window would run it: over real IPC, by the project's own configuration, capabilities and
// isolation hook. Only the handlers of core that a test names are fakes, in this very thread.
import { createBus, type Bus, type Client, type CommandContext } from '@sallyport/core'
import { installTauri } from '@sallyport/frontend/tauri'
import { afterEach, expect, test, vi } from 'vitest'
import core from '../../src-tauri/core.js'
import { openEditor } from '../../src/editor.js'
import { withFakes } from './fakes.ts'

// The page's types are not those of the rest of the repository.
declare const window: any
const config = `${import.meta.dirname}/../../src-tauri` // in jsdom, Vite makes http: of `new URL(…, import.meta.url)`
type Handler = (args: any, ctx: CommandContext) => unknown
const bytes = (text: string) => new TextEncoder().encode(text)

let bus: Bus
let client: Client
let tauri: ReturnType<typeof installTauri>

async function open(fakes: Record<string, Handler>, { label = 'main', name = 'milk.md' } = {}) {
  bus = await createBus({ config, core: withFakes(core, fakes), log: false })
  client = await bus.connect(label)
  tauri = installTauri(client, window)
  const root = window.document.createElement('div')
  const close = await openEditor(root, name)
  const [title, text, button, status, count] = root.children
  const type = (value: string) => {
    text.value = value
    text.dispatchEvent(new window.Event('input'))
  }
  return { title, text, button, status, count, type, close }
}
afterEach(async () => {
  tauri.uninstall()
  await bus.close()
})

const milk = () => bytes('Buy milk\nand bread\n')

test("shows a note, and its title from the app's own command", async () => {
  const read = vi.fn<Handler>(milk)
  const { title, text, status, type } = await open({ 'plugin:fs|read_text_file': read })
  expect([title.textContent, text.value, status.textContent]).toEqual(['Buy milk', 'Buy milk\nand bread\n', ''])
  expect(read.mock.calls).toMatchObject([[{ path: 'sallyport-notes/milk.md' }, { label: 'main' }]])
  type('Call home\n')
  await expect.poll(() => title.textContent).toBe('Call home')
})

test('saves the text, and shows that it is saved when core has it', async () => {
  let finish = () => {}
  const saved: string[] = []
  const write = async (body: Uint8Array) => {
    await new Promise<void>(resolve => (finish = resolve))
    saved.push(Buffer.from(body).toString())
  }
  const fakes = { 'plugin:fs|read_text_file': milk, 'plugin:fs|write_text_file': write }
  const { button, status, type } = await open(fakes)
  type('Buy bread')
  button.click()
  expect([status.textContent, button.disabled]).toEqual(['Saving…', true])
  await expect.poll(() => (finish(), status.textContent)).toBe('Saved')
  expect([saved, button.disabled]).toEqual([['Buy bread'], false])
})

test('shows why a note cannot be saved', async () => {
  const write = () => Promise.reject('the disk is full')
  const { button, status } = await open({ 'plugin:fs|read_text_file': milk, 'plugin:fs|write_text_file': write })
  button.click()
  await expect.poll(() => status.textContent).toBe('Not saved: the disk is full')
})

test("receives core's events until it is closed", async () => {
  const { count, close } = await open({ 'plugin:fs|read_text_file': milk })
  await client.invoke('count_notes')
  await expect.poll(() => count.textContent).toMatch(/^\d+ notes$/)
  close()
  count.textContent = ''
  await client.invoke('count_notes')
  expect(count.textContent).toBe('')
})

test('the isolation hook rejects a path that leaves the directory, before any handler runs', async () => {
  const read = vi.fn<Handler>(milk)
  const { status } = await open({ 'plugin:fs|read_text_file': read }, { name: '../secret' })
  expect(status.textContent).toMatch(/^Cannot be read: .+ rejected by the isolation hook/)
  expect(read).not.toHaveBeenCalled()
})

test('the capability applies only to the main window', async () => {
  const read = vi.fn<Handler>(milk)
  const { status } = await open({ 'plugin:fs|read_text_file': read }, { label: 'settings' })
  expect(status.textContent).toMatch(/^Cannot be read: .+not allowed/)
  expect(read).not.toHaveBeenCalled()
})
