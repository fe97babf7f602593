// Adds explanations from the host's documents to words.
import { expose, invoke } from '@sallyport/frontend'

const glossary = await invoke('plugin:files|read_text', { directory: 'documents', name: 'glossary.txt' })
const words = new Map(
  glossary
    .split('\n')
    .filter(Boolean)
    .map(line => line.split(' = ')),
)

expose({
  transform: ({ text }) => text.replaceAll(/\w+/g, word => (words.has(word) ? `${word} (${words.get(word)})` : word)),
})
