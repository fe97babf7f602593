// Counts the words of all texts, and stores the number between runs.
import '@sallyport/frontend/tauri'
import { expose, invoke } from '@sallyport/frontend'
import { readTextFile, writeTextFile } from '@tauri-apps/plugin-fs'

expose({
  async transform({ text }) {
    const before = Number(await readTextFile('total.txt').catch(() => 0))
    const now = before + text.split(/\s+/).filter(Boolean).length
    await writeTextFile('total.txt', String(now))
    await invoke('notify', { text: `${now} words so far` })
    return text
  },
})
