// The script of the app's window: nothing in here knows of Sallyport.
import { openEditor } from './editor.js'

await openEditor(document.querySelector('main'), 'milk.md')
