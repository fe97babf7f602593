// Writes docs/internals/machines.md from the state machines. With `--check`, exits with 1 if the page is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { toMermaid } from './mermaid.mjs'

const fromRoot = path => new URL(`../${path}`, import.meta.url)
const { supervisorMachine } = await import(fromRoot('packages/core/dist/host/supervision/supervisor.js').href)
const { workerMachine } = await import(fromRoot('packages/core/dist/host/supervision/worker-machine.js').href)
const { createWorkerMachine } = await import(fromRoot('packages/protocol/dist/worker/lifecycle.js').href)

const section = (title, text, machine) => `## ${title}\n\n${text}\n\n\`\`\`mermaid\n${toMermaid(machine)}\n\`\`\`\n`
const page = `# State machines

\`npm run docs:machines\` draws this page from the code, and a test compares them.

${[
  section('The bus', 'Runs in the host: `core/src/host/supervision/supervisor.ts`.', supervisorMachine),
  section(
    'A supervised worker',
    'Runs in the host, once for each worker: `core/src/host/supervision/worker-machine.ts`. In any state, `fail` leads to `failed`.',
    workerMachine,
  ),
  section(
    'The lifecycle of a worker',
    'Runs in core, in each frontend and in each gate: `protocol/src/worker/lifecycle.ts`.',
    createWorkerMachine(),
  ),
].join('\n')}`

const file = fromRoot('docs/internals/machines.md')
if (process.argv.includes('--check')) process.exitCode = readFileSync(file, 'utf8') === page ? 0 : 1
else writeFileSync(file, page)
