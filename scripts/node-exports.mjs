// Adds the exports of this Node.js that have no class yet to packages/core/test/support/node-exports.json, as `unclassed`: move each of
// them into a class. The test of sandboxes fails until then.
//   npx -y -p node@26 node scripts/node-exports.mjs
import { loadNodeExports } from '../packages/core/test/fixtures/sandboxes/node-exports.mjs'
import { findClass, readRecord, toLines, writeRecord } from '../packages/core/test/support/node-export-record.mjs'

const record = readRecord()
let count = 0
for (const [id, { names }] of Object.entries(await loadNodeExports())) {
  const unclassed = names.filter(name => [undefined, 'unclassed'].includes(findClass(record, id, name)))
  if (unclassed.length === 0) continue
  count += unclassed.length
  record[id] = { ...record[id], unclassed: toLines(unclassed) }
}
writeRecord(record)
console.log(`Exports of Node.js ${process.versions.node} without a class: ${count}.`)
if (count > 0) process.exitCode = 1
