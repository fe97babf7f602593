// The app's editor, as it runs in a Tauri window: a page, Tauri's API, and nothing of Sallyport.
import { invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import { BaseDirectory } from '@tauri-apps/api/path'
import { readTextFile, writeTextFile } from '@tauri-apps/plugin-fs'

const inTemp = { baseDir: BaseDirectory.Temp }
const PAGE = '<h1></h1><textarea></textarea><button>Save</button><p role="status"></p><p id="count"></p>'

/** Shows a note in `root`. Resolves with a function that stops listening. */
export async function openEditor(root, name) {
  root.innerHTML = PAGE
  const [title, text, button, status, count] = root.children
  const path = `sallyport-notes/${name}`

  const showTitle = async () => (title.textContent = await invoke('title_of', { text: text.value }))
  text.addEventListener('input', showTitle)
  button.addEventListener('click', async () => {
    button.disabled = true
    status.textContent = 'Saving…'
    try {
      await writeTextFile(path, text.value, inTemp)
      status.textContent = 'Saved'
    } catch (error) {
      status.textContent = `Not saved: ${String(error)}`
    }
    button.disabled = false
  })
  const unlisten = await listen('notes-counted', ({ payload }) => (count.textContent = `${payload} notes`))

  try {
    text.value = await readTextFile(path, inTemp)
    await showTitle()
  } catch (error) {
    status.textContent = `Cannot be read: ${String(error)}`
  }
  return unlisten
}
