// Checks of @tauri-apps/api/app, and of commands that are not available without a GUI.
import { equal, rejects } from 'node:assert/strict'
import * as app from '@tauri-apps/api/app'
import { Menu } from '@tauri-apps/api/menu'
import { TrayIcon } from '@tauri-apps/api/tray'

const isText = error => typeof error === 'string' && error.length > 10

export const checks = {
  'the program': async () => {
    equal(await app.getName(), 'Checks')
    equal(await app.getVersion(), '1.2.3')
    equal(await app.getIdentifier(), 'org.example.checks')
    equal((await app.getTauriVersion()).startsWith('2.'), true)
    equal(await app.getBundleType(), null)
  },

  'a listener of the plugin': async () => {
    const listener = await app.onBackButtonPress(() => {})
    await listener.unregister()
  },

  'what needs a GUI rejects with a text': async () => {
    await rejects(app.show(), isText)
    await rejects(app.setTheme('dark'), isText)
    await rejects(Menu.new(), isText)
    await rejects(TrayIcon.new(), isText)
  },
}
