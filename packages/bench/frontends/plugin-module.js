// For the sandboxes that load modules: gives the script the client as QuickJS gives it.
import * as sallyport from '@sallyport/frontend'

globalThis.sallyport = sallyport
await import('./plugin.js')
