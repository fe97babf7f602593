// Runs the uses of all packages that work in plain Node, and prints their values, and the text of those that are bundled: the last line of the
// output. A test has other texts, because its runner rewrites imports.
import { bundled } from './bundled.mjs'
import { working } from './uses.mjs'

const values = {}
for (const [name, use] of Object.entries({ ...working, ...bundled })) values[name] = await use()
const texts = Object.fromEntries(Object.entries(bundled).map(([name, use]) => [name, String(use)]))
process.stdout.write(`\n${JSON.stringify({ values, texts })}`)
