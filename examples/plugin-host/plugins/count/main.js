// Counts the words of all texts, and stores the number between runs.
import { expose, invoke } from '@sallyport/frontend'

const total = { directory: 'storage', name: 'total.txt' }

expose({
  async transform({ text }) {
    const before = Number(await invoke('plugin:files|read_text', total).catch(() => 0))
    const now = before + text.split(/\s+/).filter(Boolean).length
    await invoke('plugin:files|write_text', { ...total, text: String(now) })
    await invoke('notify', { text: `${now} words so far` })
    return text
  },
})
