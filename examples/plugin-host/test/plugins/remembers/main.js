// Returns the previous text, and reports its process id.
import { expose, invoke } from '@sallyport/frontend'

const last = { directory: 'storage', name: 'last.txt' }

expose({
  async transform({ text }) {
    const before = await invoke('plugin:files|read_text', last).catch(error => error.reason)
    await invoke('plugin:files|write_text', { ...last, text }).catch(error => error.reason)
    await invoke('notify', { text: String(process.pid) }).catch(() => {})
    if (text === 'spin') for (;;);
    return before
  },
})
