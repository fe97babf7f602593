import { expect, test } from 'vitest'
import { usualCall } from '../payloads/payloads.js'
import { callEach, makeFirstCalls, MARKS, type MakeCall } from './loops.js'

const [greet] = usualCall.calls

function createCall(answers: (count: number) => unknown = () => greet!.expected) {
  let count = 0
  const call: MakeCall = async (command, args) => {
    expect({ command, args }).toEqual({ command: 'greet', args: greet!.args })
    return answers(++count)
  }
  return { call, getCount: () => count }
}

test('the first calls end with the last mark, and times rise', async () => {
  const { call, getCount } = createCall()
  const marks = await makeFirstCalls(call, greet!)
  expect(getCount()).toBe(MARKS.at(-1))
  expect(marks).toHaveLength(MARKS.length)
  expect(marks).toEqual(marks.toSorted((a, b) => a - b))
})

test('each call with a pause has a time', async () => {
  const { call, getCount } = createCall()
  const times = await callEach(call, greet!, 1, 3)
  expect(getCount()).toBe(3)
  expect(times).toHaveLength(3)
  for (const time of times) expect(time).toBeGreaterThan(0)
})

test('a wrong answer rejects, even after correct ones', async () => {
  const { call } = createCall(count => (count < 50 ? greet!.expected : 'Bye'))
  await expect(makeFirstCalls(call, greet!)).rejects.toThrow("'greet' returned Bye; expected Hello, World!")
})
