// @ts-check
// The host program: runs six scripts, as a model might write them, in a copy of the workspace, and prints the audit log.
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAgentHost } from './agent-host.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const directory = await mkdtemp(join(tmpdir(), 'sallyport-workspace-'))
const workspace = join(directory, 'workspace')
const audit = join(directory, 'audit.jsonl')
await cp(join(here, 'workspace'), workspace, { recursive: true })

const host = await createAgentHost({
  workspace,
  audit,
  timeout: 60_000,
  // Stands for a person who approves deleting drafts, and nothing else.
  onConfirm(question) {
    const answer = question.includes('draft')
    console.log(`  ${question} ${answer ? 'Yes' : 'No'}`)
    return answer
  },
})
try {
  for (const name of (await readdir(join(here, 'scripts'))).toSorted()) {
    console.log(`${name}:`)
    const code = await readFile(join(here, 'scripts', name), 'utf8')
    const { printed, ...outcome } = await host.run(code)
    if (printed) console.log(`  prints: ${printed.trimEnd()}`)
    console.log(`  ${JSON.stringify(outcome)}`)
  }
  console.log('In the workspace:', (await readdir(workspace)).toSorted().join(', '))
  console.log('The audit log begins:')
  const lines = (await readFile(audit, 'utf8')).split('\n').slice(0, 8)
  for (const { label, command, args, outcome } of lines.map(line => JSON.parse(line))) {
    console.log(`  ${label} ${command} ${JSON.stringify(args)}: ${outcome}`)
  }
} finally {
  await host.close()
  await rm(directory, { recursive: true })
}
