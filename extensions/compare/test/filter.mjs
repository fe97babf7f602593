// `gh … --jq <filter>`: the filter applied to stdin, for a machine that has no jq.
import { text } from 'node:stream/consumers'
import { raw } from 'jq-wasm'

const filter = process.argv[process.argv.indexOf('--jq') + 1]
const found = await raw(JSON.parse(await text(process.stdin)), filter, ['-r'])
if (found) process.stdout.write(`${found.trimEnd()}\n`)
