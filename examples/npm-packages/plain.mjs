// Runs the uses of all packages that work in plain Node, and prints their values: the last line of the output.
import { working } from './uses.mjs'

const values = {}
for (const [name, use] of Object.entries(working)) values[name] = await use()
process.stdout.write(`\n${JSON.stringify(values)}`)
