import { expect, test } from 'vitest'
import { MemberOutput } from './member-output.js'

/** An output whose host takes a chunk with each call of `take`. */
function create(): { output: MemberOutput; chunks: string[]; take(): Promise<void> } {
  const chunks: string[] = []
  let done: (() => void) | undefined
  const output = new MemberOutput({
    write(_stream, chunk, onTaken) {
      chunks.push(chunk as string)
      done = onTaken
    },
  })
  const take = async (): Promise<void> => {
    done?.()
    await new Promise(setImmediate)
  }
  return { output, chunks, take }
}

test('lines that wait for the host are joined, in order', async () => {
  const { output, chunks, take } = create()
  for (const line of ['a\n', 'b\n', 'c\n']) output.print('stdout', line)
  expect(chunks).toEqual(['a\n'])
  await take()
  expect(chunks).toEqual(['a\n', 'b\nc\n'])
})

test('lines beyond 1 MiB are dropped and counted, and later ones are printed again', async () => {
  const { output, chunks, take } = create()
  const line = `${'x'.repeat(2 ** 16)}\n`
  for (let i = 0; i < 20; i++) output.print('stderr', line)
  while (!chunks.at(-1)!.startsWith('Output lost')) await take()
  expect(chunks).toEqual([
    ...Array<string>(16).fill(line),
    'Output lost: 4 lines were printed faster than the host reads. Print less.\n',
  ])
  output.print('stderr', 'again\n')
  await take()
  expect(chunks.at(-1)).toBe('again\n')
})

test('lost lines are counted although more are printed without an end', async () => {
  const { output, chunks, take } = create()
  const line = `${'x'.repeat(2 ** 16)}\n`
  for (let i = 0; i < 100; i++) {
    for (let j = 0; j < 20; j++) output.print('stdout', line)
    await take()
  }
  const marks = chunks.filter(chunk => chunk.startsWith('Output lost'))
  expect(marks.length).toBeGreaterThan(1)
  expect(marks.length).toBeLessThan(20)
})

test('the output is flushed once the host has taken all lines', async () => {
  const { output, take } = create()
  await output.flushed()
  output.print('stdout', 'a\n')
  output.print('stdout', 'b\n')
  let isFlushed = false
  const flushed = output.flushed().then(() => (isFlushed = true))
  await take()
  expect(isFlushed).toBe(false)
  await take()
  await flushed
})

test('the output is not flushed between two chunks', async () => {
  const { output, chunks, take } = create()
  output.print('stdout', 'a\n')
  output.print('stdout', 'b\n')
  let isFlushed = false
  const taken = take()
  const flushed = output.flushed().then(() => (isFlushed = true))
  await taken
  expect(chunks).toEqual(['a\n', 'b\n'])
  expect(isFlushed).toBe(false)
  await take()
  await flushed
})
