// The module of the frontend's worker: Tauri's globals, and then the app as it is.
import '@sallyport/frontend/tauri'

await import('./notes.js')
