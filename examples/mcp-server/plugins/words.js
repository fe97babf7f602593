// Needs nothing but its own code.
import { expose } from '@sallyport/frontend'

expose({
  tools: () => [
    {
      name: 'count',
      description: 'Counts the words of a text',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    },
  ],
  count({ text }) {
    if (typeof text !== 'string') throw new TypeError('text is not a string')
    return text.split(/\s+/).filter(Boolean).length
  },
})
