// @ts-check
// The core module of the example: the Rust commands of Tauri's guides, line by line. A command that returns is `Ok`,
// one that throws is `Err`: its caller gets the thrown value, or the message of an Error.
import { command, defineCore } from '@sallyport/core'
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'

// fn greet(name: &str) -> String { format!("Hello, {}!", name) }
/** @param {{ name: string }} args */
const greet = ({ name }) => `Hello, ${name}!`

// fn process_data(input: String) -> Result<String, String> { Ok(format!("Processed: {}", input)) }
/** @param {{ input: string }} args */
const process_data = ({ input }) => `Processed: ${input}`

// async fn read_file(path: String) -> Result<String, String> {
//   std::fs::read_to_string(&path).map_err(|e| e.to_string())
// }
/** @param {{ path: string }} args */
const read_file = async ({ path }) => readFile(path, 'utf8')

// fn process_file(path: String) -> Result<String, String> {
//   // Always validate paths
//   if path.contains("..") || path.starts_with("/etc") { return Err("Invalid path".into()); }
//   Ok("Done".into())
// }
/** @param {{ path: string }} args */
function process_file({ path }) {
  if (path.includes('..') || path.startsWith('/etc')) throw 'Invalid path'
  return 'Done'
}

/** @type {Set<number>} */
const items = new Set([1, 2, 3])

/** @param {{ id: number }} args */
function delete_item({ id }) {
  if (!items.delete(id)) throw `There is no item ${id}`
  return [...items]
}

// struct CreateUserArgs { name: String, email: String }
// fn create_user(args: CreateUserArgs) -> Result<(), String> { Ok(()) }
const CreateUserArgs = v.object({ name: v.string(), email: v.string() })
const create_user = command({ args: v.object({ args: CreateUserArgs }) }, () => {})

/**
 * Tauri's example of a channel: a download of 1000 bytes, in five chunks.
 *
 * @typedef {{ event: 'started', data: { url: string, contentLength: number } }
 *   | { event: 'progress', data: { chunkLength: number } }
 *   | { event: 'finished' }} DownloadEvent
 * @param {{ url: string, onEvent: import('@sallyport/core').Channel<DownloadEvent> }} args
 */
async function download({ url, onEvent }) {
  await onEvent.send({ event: 'started', data: { url, contentLength: 1000 } })
  for (const chunkLength of [15, 150, 35, 500, 300]) {
    await onEvent.send({ event: 'progress', data: { chunkLength } }) // waits while the frontend is behind
  }
  await onEvent.send({ event: 'finished' })
  onEvent.end() // Rust drops its channel here
}

// fn emit_event(app: &AppHandle) { app.emit("backend-event", "payload data").unwrap(); }
/** @param {import('@sallyport/core').App} app */
const emit_event = app => app.emit('backend-event', 'payload data')

export default defineCore({
  // .invoke_handler(tauri::generate_handler![greet, …])
  commands: {
    greet,
    process_data,
    read_file,
    process_file,
    delete_item,
    create_user,
    download,
    // The names that the hooks in dist-isolation-read-file/ and dist-isolation-allow-list/ use.
    readFile: read_file,
    deleteItem: delete_item,
    read_config: read_file,
  },
  setup(app) {
    app.listen('frontend-event', ({ payload }) => {
      app.log.info({ payload }, 'frontend-event')
      emit_event(app)
    })
  },
})
