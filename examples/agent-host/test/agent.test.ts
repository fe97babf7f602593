// Scripts over real threads: results of the tools, confirmations, rejections, the audit log, and no state that one script leaves
// for the next.
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAgentHost } from '../agent-host.js'

let directory: string
let host: Awaited<ReturnType<typeof createAgentHost>>
const questions: string[] = []
const onConfirm = (question: string) => {
  questions.push(question)
  return answer
}
let answer: boolean

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-agent-test-'))
  await mkdir(join(directory, 'workspace'))
  await writeFile(join(directory, 'secret.txt'), 'secret')
  const audit = join(directory, 'audit.jsonl')
  host = await createAgentHost({ workspace: join(directory, 'workspace'), audit, onConfirm, timeout: 60_000 })
})
beforeEach(async () => {
  questions.length = 0
  await writeFile(join(directory, 'workspace/a.txt'), 'A')
  await writeFile(join(directory, 'audit.jsonl'), '')
})
afterAll(async () => {
  await host.close()
  await rm(directory, { recursive: true })
})

const audited = async () =>
  (await readFile(join(directory, 'audit.jsonl'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))

test('tools read and write in the workspace, and each call is in the audit log', async () => {
  const code = `await write_file({ name: 'b.txt', text: (await read_file({ name: 'a.txt' })).repeat(100) })
    return list_files()`
  expect(await host.run(code)).toMatchObject({ answer: ['a.txt', 'b.txt'] })
  expect(await readFile(join(directory, 'workspace/b.txt'), 'utf8')).toBe('A'.repeat(100))
  expect(await audited()).toMatchObject([
    { label: 'agent', command: 'plugin:tools|read_file', args: { name: 'a.txt' }, outcome: 'ok' },
    { args: { name: 'b.txt', text: `${'A'.repeat(60)}… (100)` }, outcome: 'ok' },
    { command: 'plugin:tools|list_files', outcome: 'ok' },
  ])
})

test.each([
  [false, 'REFUSED', true],
  [true, 'deleted', false],
])('deleting a file asks the user, who answers %s: %s', async (says, expected, isThere) => {
  answer = says
  const code = `return delete_file({ name: 'a.txt' }).then(() => 'deleted', error => error.commandCode)`
  expect(await host.run(code)).toMatchObject({ answer: expected })
  expect(questions).toEqual(['Allow agent to call plugin:tools|delete_file with {"name":"a.txt"}?'])
  expect((await readdir(join(directory, 'workspace'))).includes('a.txt')).toBe(isThere)
  expect(await audited()).toMatchObject([{ outcome: says ? 'ok' : 'REFUSED' }])
})

test('forbidden calls are rejected without a question to the user', async () => {
  const code = `const calls = [
      read_file({ name: '../secret.txt' }),
      read_file({ name: ['../secret.txt'] }),
      write_file({ name: 'x', text: 'x'.repeat(70000) }),
      sallyport.listen('anything', () => {}),
      sallyport.invoke('plugin:path|resolve_directory', { directory: 1 }),
    ]
    return (await Promise.allSettled(calls)).map(({ reason }) => reason?.reason)`
  expect(await host.run(code)).toMatchObject({ answer: Array.from({ length: 5 }, () => 'Rejected') })
  expect([await audited(), questions]).toEqual([[], []])
})

test('a script that loops, throws or does not parse fails with the reason, and the next one runs', async () => {
  expect(await host.run('for (;;);')).toMatchObject({
    failed: expect.stringContaining('ran for 100 ms without a pause'),
  })
  expect(await host.run(`throw new Error('no idea')`)).toMatchObject({ failed: 'no idea' })
  expect(await host.run('return (')).toMatchObject({
    failed: expect.stringMatching(/^Frontend script run\.js:1:\d+: syntax error: /),
  })
  expect(await host.run('globalThis.left = 1; return typeof left')).toMatchObject({ answer: 'number' })
  expect(await host.run('return typeof left')).toMatchObject({ answer: 'undefined' })
})

test('a script that does not end in time fails with the reason', async () => {
  const [workspace, audit] = [join(directory, 'workspace'), join(directory, 'other.jsonl')]
  const impatient = await createAgentHost({ workspace, audit, onConfirm, timeout: 1 })
  const result = await impatient.run('await new Promise(resolve => setTimeout(resolve, 1e9))')
  await impatient.close()
  expect(result).toMatchObject({ failed: expect.stringMatching(/^bus\.run took longer than 1 ms/) })
})

test('the output of a script is returned with its answer, up to a limit', async () => {
  expect(await host.run(`console.log('a', 1); return 2`)).toEqual({ answer: 2, printed: 'a 1\n' })
  const { answer: last, printed } = await host.run(
    `for (let n = 0; n < 20; n++) console.log('x'.repeat(1000)); return 3`,
  )
  expect([last, printed.length]).toEqual([3, 10_000])
})

test('a quota counts the calls of all scripts together', async () => {
  const many = `const calls = Array.from({ length: 30 }, () => list_files())
    return (await Promise.allSettled(calls)).filter(({ reason }) => reason?.reason === 'Overloaded').length`
  const { answer: first } = (await host.run(many)) as { answer: number }
  expect(first).toBeGreaterThanOrEqual(10)
  expect(await audited()).toHaveLength(30 - first)
})
