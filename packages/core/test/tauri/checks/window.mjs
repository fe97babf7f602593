// Checks of @tauri-apps/api/window, /webview and /webviewWindow, as far as they work without a window.
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { invoke } from '@tauri-apps/api/core'
import { emitTo } from '@tauri-apps/api/event'
import { Webview, getCurrentWebview } from '@tauri-apps/api/webview'
import { WebviewWindow, getCurrentWebviewWindow } from '@tauri-apps/api/webviewWindow'
import { Window, getCurrentWindow } from '@tauri-apps/api/window'

const settle = () => invoke('nothing')

const current = {
  Window: getCurrentWindow,
  Webview: getCurrentWebview,
  WebviewWindow: getCurrentWebviewWindow,
}

/** Returns the outcome of a constructor that opens a window: `tauri://created`, or `tauri://error` with its payload. */
const outcome = created =>
  new Promise(resolve => {
    void created.once('tauri://created', resolve)
    void created.once('tauri://error', resolve)
  })

export const checks = {
  'getAll and getByLabel return the open ones': async () => {
    for (const kind of [Window, Webview, WebviewWindow]) {
      const all = await kind.getAll()
      deepEqual(
        all.map(({ label }) => label),
        ['main'],
      )
      ok(all.every(each => each instanceof kind))
      equal((await kind.getByLabel('main')).label, 'main')
      equal(await kind.getByLabel('other'), null)
      equal(kind.getCurrent().label, 'main')
    }
  },

  'functions that need a window reject with a string': async () => {
    for (const call of [() => getCurrentWindow().title(), () => getCurrentWindow().setTitle('x')]) {
      await rejects(call(), error => typeof error === 'string')
    }
    await rejects(getCurrentWebview().setZoom(2), error => typeof error === 'string')
  },

  'the current ones have the label of the frontend': async () => {
    equal(getCurrentWindow().label, 'main')
    equal(getCurrentWebview().label, 'main')
    equal(getCurrentWebview().window.label, 'main')
    equal(getCurrentWebviewWindow().label, 'main')
    equal(window.__TAURI_INTERNALS__.metadata.currentWebview.windowLabel, 'main')
  },

  'each kind gets events to its kind': async () => {
    for (const [kind, get] of Object.entries(current)) {
      const received = []
      const unlisten = await get().listen('mine', ({ payload }) => received.push(payload))
      for (const to of Object.keys(current)) await emitTo({ kind: to, label: 'main' }, 'mine', to)
      await emitTo('main', 'mine', 'label')
      await emitTo({ kind, label: 'other' }, 'mine', 'other')
      await settle()
      deepEqual(received, [kind, 'label'])
      unlisten()
    }
  },

  'emit and emitTo reach once': async () => {
    for (const get of Object.values(current)) {
      const received = []
      await get().once('said', ({ payload }) => received.push(payload))
      await get().emit('said', 1)
      await get().emit('said', 2)
      await get().once('said-to', ({ payload }) => received.push(payload))
      await get().emitTo('main', 'said-to', 3)
      await settle()
      deepEqual(received, [1, 3])
    }
  },

  'a new window fails with the event tauri://error': async () => {
    for (const make of [
      () => new Window('more'),
      () => new Webview(getCurrentWindow(), 'more', { x: 0, y: 0, width: 1, height: 1 }),
      () => new WebviewWindow('more'),
    ]) {
      const { event, id, payload } = await outcome(make())
      deepEqual([event, id], ['tauri://error', -1])
      equal(typeof payload, 'string')
      ok(payload.length > 10)
    }
  },
}
