// @ts-check
// The app's frontend, as it runs in a Tauri window. It does not use Sallyport.
import { invoke } from '@tauri-apps/api/core'
import { emit, listen } from '@tauri-apps/api/event'
import { BaseDirectory } from '@tauri-apps/api/path'
import { getCurrentWindow } from '@tauri-apps/api/window'
import { mkdir, readDir, readTextFile, readTextFileLines, remove, stat, writeTextFile } from '@tauri-apps/plugin-fs'

const inTemp = { baseDir: BaseDirectory.Temp }
const DIRECTORY = 'sallyport-notes'

console.log(`This is the window ${getCurrentWindow().label}.`)

// A command of the app.
/** @type {string} */
const title = await invoke('title_of', { text: 'Buy milk\nand bread\n' })
console.log('The title of the note:', title)

// A plugin's commands, within the scope that the capability gives.
await mkdir(DIRECTORY, { ...inTemp, recursive: true })
await writeTextFile(`${DIRECTORY}/milk.md`, 'Buy milk\nand bread\n', inTemp)
await writeTextFile(`${DIRECTORY}/milk.md`, 'and butter\n', { ...inTemp, append: true })
for await (const line of await readTextFileLines(`${DIRECTORY}/milk.md`, inTemp)) console.log('|', line.trim())
const { size } = await stat(`${DIRECTORY}/milk.md`, inTemp)
console.log((await readDir(DIRECTORY, inTemp)).map(({ name }) => name).join(', '), `has ${size} bytes`)

// The capability does not allow the first, and the isolation app stops the second.
for (const path of ['/etc/hostname', `${DIRECTORY}/../secret`]) {
  await readTextFile(path, inTemp).catch(error => console.log(path, '→', error))
}

// Events.
const unlisten = await listen('notes-counted', ({ payload }) => {
  console.log('Notes so far:', payload)
  unlisten()
  void emit('done')
})
await invoke('count_notes')
await remove(DIRECTORY, { ...inTemp, recursive: true })
