// Writes docs/machines.md from the state machines themselves; with `--check` it says whether the page is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { toMermaid } from './mermaid.mjs'

const at = path => new URL(`../${path}`, import.meta.url)
const { supervisorMachine } = await import(at('packages/core/dist/host/supervision/supervisor.js').href)
const { workerMachine } = await import(at('packages/core/dist/host/supervision/worker-machine.js').href)
const { createWorkerMachine } = await import(at('packages/protocol/dist/worker/lifecycle.js').href)

const section = (title, text, machine) => `## ${title}\n\n${text}\n\n\`\`\`mermaid\n${toMermaid(machine)}\n\`\`\`\n`
const page = `# State machines

Drawn from the code by \`npm run docs:machines\`; a test compares them.

${[
  section('The bus', 'In the host: `core/src/host/supervision/supervisor.ts`.', supervisorMachine),
  section(
    'A worker, as the host sees it',
    'In the host, one for each: `core/src/host/supervision/worker-machine.ts`. `fail` ends it for good, from any state.',
    workerMachine,
  ),
  section(
    'A worker itself',
    'In core, in each frontend and in each gate: `protocol/src/worker/lifecycle.ts`.',
    createWorkerMachine(),
  ),
].join('\n')}`

const file = at('docs/machines.md')
if (process.argv.includes('--check')) process.exitCode = readFileSync(file, 'utf8') === page ? 0 : 1
else writeFileSync(file, page)
