// Returns the previous text, and reports an id of its process.
import { expose, invoke } from '@sallyport/frontend'

const id = crypto.randomUUID()
const last = { directory: 'storage', name: 'last.txt' }

expose({
  async transform({ text }) {
    const before = await invoke('plugin:files|read_text', last).catch(error => error.reason)
    await invoke('plugin:files|write_text', { ...last, text }).catch(error => error.reason)
    await invoke('notify', { text: id }).catch(() => {})
    if (text === 'spin') for (;;);
    return before
  },
})
