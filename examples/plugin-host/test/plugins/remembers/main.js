// Returns the previous text, and reports an id of its process.
import '@sallyport/frontend/tauri'
import { expose, invoke } from '@sallyport/frontend'
import { readTextFile, writeTextFile } from '@tauri-apps/plugin-fs'

const id = crypto.randomUUID()
/** The part of an error of fs that is the same on each system. */
const outcome = error => /not allowed|failed to/.exec(error)?.[0]

expose({
  async transform({ text }) {
    const before = await readTextFile('last.txt').catch(outcome)
    await writeTextFile('last.txt', text).catch(outcome)
    await invoke('notify', { text: id }).catch(() => {})
    if (text === 'spin') for (;;);
    return before
  },
})
