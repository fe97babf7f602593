// node host.mjs [case …]: with @sallyport/* in node_modules, as installed.
import { runCases } from './cases.mjs'

await runCases(process.argv.slice(2))
