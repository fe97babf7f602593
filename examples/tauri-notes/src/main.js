// The module of the frontend's worker: Tauri's globals, and then the unchanged app.
import '@sallyport/frontend/tauri'

await import('./notes.js')
