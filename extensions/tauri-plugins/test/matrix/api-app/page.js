// A page that makes the calls of the views of Tauri's `examples/api`, with the unmodified packages. Each view returns its results.
import { getName, getTauriVersion, getVersion } from '@tauri-apps/api/app'
import { convertFileSrc, invoke } from '@tauri-apps/api/core'
import { emit, listen } from '@tauri-apps/api/event'
import { getCurrentWebview } from '@tauri-apps/api/webview'
import { getCurrentWindow } from '@tauri-apps/api/window'
import * as clipboard from '@tauri-apps/plugin-clipboard-manager'
import { ask, confirm, message, open, save } from '@tauri-apps/plugin-dialog'
import * as fs from '@tauri-apps/plugin-fs'
import { fetch as tauriFetch } from '@tauri-apps/plugin-http'
import { isPermissionGranted, requestPermission } from '@tauri-apps/plugin-notification'
import { platform } from '@tauri-apps/plugin-os'
import { exit } from '@tauri-apps/plugin-process'
import { open as openUrl } from '@tauri-apps/plugin-shell'
import { LazyStore } from '@tauri-apps/plugin-store'

/** @param {string} event */
const next = event =>
  new Promise(resolve => {
    void listen(event, ({ payload }) => resolve(payload))
  })
const baseDir = fs.BaseDirectory.AppData

window.views = {
  async mount() {
    const appWindow = getCurrentWindow()
    await appWindow.onCloseRequested(() => {})
    await appWindow.onResized(() => {})
    await getCurrentWebview().onDragDropEvent(() => {})
    return [appWindow.label, platform(), await appWindow.isMaximized(), typeof window.__TAURI__.core.invoke]
  },
  async welcome() {
    const exited = next('exited')
    await exit(3)
    return [await getName(), await getVersion(), await getTauriVersion(), await exited]
  },
  async communication() {
    let onReply
    const replied = new Promise(resolve => (onReply = resolve))
    const unlisten = await getCurrentWebview().listen('rust-event', ({ payload }) => onReply(payload))
    await invoke('log_operation', { event: 'tauri-click', payload: 'an optional payload' })
    const response = await invoke('perform_request', { endpoint: 'dummy', body: { id: 5, name: 'test' } })
    await emit('js-event', 'a message')
    const reply = await replied
    unlisten()
    return [response, reply]
  },
  async dialog() {
    const path = await open({ title: 'Open', multiple: false, filters: [{ name: 'Text', extensions: ['txt'] }] })
    const text = new TextDecoder().decode(await fs.readFile(path))
    const saved = await save({ defaultPath: path })
    await message('Done')
    return [text, saved === path, await confirm('Is it?'), await ask('Is it?', { kind: 'warning' })]
  },
  async files() {
    await fs.mkdir('db', { baseDir, recursive: true })
    const file = await fs.open('db/a.txt', { write: true, create: true, baseDir })
    const seen = new Promise(resolve => void fs.watchImmediate('db', resolve, { baseDir }).then(started))
    /** @param {() => void} stop */
    async function started(stop) {
      await fs.writeTextFile('db/b.txt', 'b', { baseDir })
      await seen
      stop()
    }
    await file.write(new TextEncoder().encode('written'))
    await file.close()
    await seen
    await fs.rename('db/a.txt', 'db/c.txt', { oldPathBaseDir: baseDir, newPathBaseDir: baseDir })
    const names = (await fs.readDir('db', { baseDir })).map(({ name }) => name).sort()
    const { size, isFile } = await fs.stat('db/c.txt', { baseDir })
    const text = new TextDecoder().decode(await fs.readFile('db/c.txt', { baseDir }))
    await fs.remove('db/c.txt', { baseDir })
    const denied = await fs.readTextFile('/etc/passwd').catch(String)
    return [names, size, isFile, text, denied.startsWith('forbidden path: /etc/passwd')]
  },
  /** @param {string} path */
  async image(path) {
    const image = new Image()
    image.src = convertFileSrc(path)
    await image.decode()
    return [image.naturalWidth, image.naturalHeight]
  },
  /** @param {string} url */
  async http(url) {
    const json = await tauriFetch(url, { method: 'POST', body: JSON.stringify({ a: 1 }) })
    const form = new FormData()
    form.append('foo', 'baz')
    form.append('file', new Blob(['content']), 'a.txt')
    const posted = await tauriFetch(url, { method: 'POST', body: form })
    const denied = await tauriFetch('http://127.0.0.1:9/').catch(String)
    return [await json.json(), (await posted.json()).body.includes('content'), denied.includes('not allowed')]
  },
  async store() {
    const store = new LazyStore('cache.json', { autoSave: false, defaults: {} })
    await store.set('name', 'value')
    await store.set('other', 1)
    await store.delete('other')
    const entries = await store.entries()
    const value = await store.get('name')
    await store.save()
    await store.reset()
    const left = await store.length()
    await store.close()
    return [entries, value, left]
  },
  async notifications() {
    if (!(await isPermissionGranted())) await requestPermission()
    const notified = next('notified')
    new Notification('Title', { body: 'Body' })
    return [await isPermissionGranted(), await notified]
  },
  async shell() {
    const opened = next('opened')
    await openUrl('https://tauri.app')
    return opened
  },
  /** @param {string} path */
  async clipboard(path) {
    await clipboard.writeText('copied')
    const text = await clipboard.readText()
    await clipboard.writeImage(await fs.readFile(path))
    return text
  },
}
