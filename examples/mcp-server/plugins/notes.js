// Searches the notes of the application.
import { expose, invoke } from '@sallyport/frontend'

expose({
  tools: () => [
    {
      name: 'search',
      description: 'Returns the notes that contain a text',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  ],
  async search({ text }) {
    const found = {}
    for (const id of await invoke('list_notes')) {
      const note = await invoke('read_note', { id })
      if (note.includes(text)) found[id] = note
    }
    return found
  },
})
