// For the sandboxes that load modules: gives the script the client as SES gives it, and tells how much memory its process
// takes.
import * as sallyport from '@sallyport/frontend'

globalThis.sallyport = sallyport
sallyport.expose({ memory: () => process.memoryUsage.rss() })
await import('./script.js')
