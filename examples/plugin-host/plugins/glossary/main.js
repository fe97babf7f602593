// Adds explanations from the host's documents to words.
import '@sallyport/frontend/tauri'
import { expose, getData } from '@sallyport/frontend'
import { readTextFile } from '@tauri-apps/plugin-fs'

const glossary = await readTextFile(`${getData().documents}/glossary.txt`)
const words = new Map(
  glossary
    .split('\n')
    .filter(Boolean)
    .map(line => line.split(' = ')),
)

expose({
  transform: ({ text }) => text.replaceAll(/\w+/g, word => (words.has(word) ? `${word} (${words.get(word)})` : word)),
})
