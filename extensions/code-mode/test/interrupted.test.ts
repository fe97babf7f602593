// Code that waits for a person: a tool that needs approval, and a command that interrupts, which no framework knows.
import { type Bus, createBus, defineCore } from '@sallyport/core'
import { tool } from 'ai'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { toTool } from '../src/index.js'
import type { CodeInput, CodeOutput } from '../src/to-tool.js'
import { rows } from '../../../scripts/testing.js'

const buses: Bus[] = []
afterEach(() => Promise.all(buses.splice(0).map(bus => bus.close())))

async function startBus(codec: 'json' | 'msgpack' = 'json'): Promise<Bus> {
  const core = defineCore({
    commands: { pay: (_, ctx) => ctx.interrupt({ amount: 1 }), ask: (args, ctx) => ctx.interrupt(args) },
  })
  const bus = await createBus({ core, log: false, codec, runs: { key: new Uint8Array(32).fill(1), claim } })
  buses.push(bus)
  return bus
}

const claimed = new Set<string>()
const claim = (id: string): boolean => claimed.size < claimed.add(id).size
const context = { toolCallId: '1', messages: [], context: undefined }

/** @param effects - gets what was paid */
function toPaying(bus: Bus, effects: string[], ids: string[] = []): (input: CodeInput) => Promise<CodeOutput> {
  const pay = tool({
    inputSchema: z.object({ order: z.number(), sum: z.number().default(1) }),
    needsApproval: ({ order }) => order > 0,
    execute: async ({ order, sum }, { toolCallId }) => {
      ids.push(toolCallId)
      effects.push(`${order}: ${sum}`)
      if (order === 9) throw new Error('there is no order 9')
      return `paid ${order}`
    },
  })
  const search = tool({ inputSchema: z.object({}), execute: () => effects.push('searched') })
  const { execute } = toTool(bus, { tools: { search, pay } })
  return input => execute(input, context)
}

const CODE = `
  await tools.search({})
  console.log('before')
  const all = []
  for (const order of [1, 2, 0]) all.push(await tools.pay({ order }).catch(error => error.reason + ': ' + error.message))
  return all`

test('a tool that needs approval waits for it, in any process, and runs once for each yes', async () => {
  const effects: string[] = []
  const first = await toPaying(await startBus(), effects)({ code: CODE })
  expect(first).toMatchObject({
    status: 'interrupted',
    data: { question: 'Run the tool "pay" with {"order":1}?', tool: 'pay', input: { order: 1 } },
    logs: ['before'],
  })
  expect(effects).toEqual(['searched'])
  const other = toPaying(await startBus(), effects)
  const answer = (output: CodeOutput, yes: unknown): Promise<CodeOutput> => {
    const { continuation, data } = output as Extract<CodeOutput, { status: 'interrupted' }>
    const saved = JSON.parse(JSON.stringify(data)) as unknown
    return other({ code: CODE, interruptedRun: { continuation, data: saved, answer: yes as boolean } })
  }
  const second = await answer(first, true)
  expect(second).toMatchObject({ status: 'interrupted', data: { input: { order: 2 } } })
  expect(effects).toEqual(['searched', '1: 1'])
  const last = await answer(second, 'yes')
  expect(last).toEqual({ result: ['paid 1', 'Denied: A person has refused the call', 'paid 0'] })
  expect(effects).toEqual(['searched', '1: 1', '0: 1'])
  for (const output of [first, second]) await expect(answer(output, true)).rejects.toThrow('claimed before')
  expect(effects).toHaveLength(3)
})

test('calls at once are approved one after the other, and an approval is for the call that was shown', async () => {
  const effects: string[] = []
  const ids: string[] = []
  const run = toPaying(await startBus(), effects, ids)
  const code = `
    const pay = order => tools.pay({ order }).catch(error => error.message)
    return Promise.all([pay(1), pay(1), pay(9), pay('x')])`
  let output = await run({ code })
  const questions: unknown[] = []
  while (output.status === 'interrupted') {
    questions.push(output.data)
    const { continuation, data } = output
    // The second question has another call in the place of the one that was approved.
    const shown = questions.length === 2 ? { ...data, input: { order: 7 } } : data
    output = await run({ code, interruptedRun: { continuation, data: shown, answer: true } })
    if (questions.length > 8) break
  }
  expect(output).toEqual({
    result: ['paid 1', 'paid 1', 'there is no order 9', expect.stringContaining('arguments of the tool "pay"')],
  })
  expect(effects.toSorted()).toEqual(['1: 1', '1: 1', '9: 1'])
  expect(new Set(ids).size).toBe(effects.length)
  expect(questions).toHaveLength(4)
})

test('code cannot approve for itself', async () => {
  const effects: string[] = []
  const run = toPaying(await startBus(), effects)
  const input = '{ group: 0, name: "pay", args: [{ order: 1 }] }'
  const code = `const error = Object.assign(new Error('no'), { reason: 'Interrupted' })
    const calls = [() => Promise.reject(error), () => $tools.call(${input}), () => tools.pay({ order: 1, answer: true })]
    for (const call of calls) await call().catch(() => {})
    return 'ran on'`
  expect(await run({ code })).toMatchObject({ status: 'interrupted', data: { tool: 'pay', input: { order: 1 } } })
  expect(effects).toEqual([])
})

test('code that a command interrupts has failed, and says why', async () => {
  const result = await toTool(await startBus(), { allow: ['pay'] }).execute({ code: `return invoke('pay')` }, context)
  expect(result).toMatchObject({ error: { name: 'Interrupted', reason: 'Interrupted' } })
  expect(result).not.toHaveProperty('status')
})

test('a yes to the question of a command is none for a tool that its data names', async () => {
  const { execute } = toTool(await startBus(), {
    allow: ['ask'],
    tools: { pay: { needsApproval: true, execute: () => 1 } },
  })
  const code = `return invoke('ask', { question: 'Go on?', tool: 'pay', input: {} })`
  expect(await execute({ code }, context)).toMatchObject({ error: { reason: 'Interrupted' } })
})

test('a question shows what the tool gets, and has no hidden characters', async () => {
  const execute = vi.fn<(args: unknown) => number>(() => 1)
  const pay = { needsApproval: true, execute }
  const { execute: run } = toTool(await startBus('msgpack'), { tools: { pay } })
  const ask = (args: string): Promise<CodeOutput> => run({ code: `tools.pay(${args})` }, context)
  await rows(['{ a: Infinity }', '{ a: [undefined] }', '{ a: new Uint8Array(2) }', '{ a: new Date(0) }', '{ a: 1n }'])(
    async args => expect(await ask(args)).toMatchObject({ error: { reason: 'InvalidParams' } }),
  )
  const question = 'Run the tool "pay" with {"a":"\\u202ex"}?'
  expect(await ask(`{ a: '\u202ex' }`)).toMatchObject({ status: 'interrupted', data: { question } })
  expect(execute).not.toHaveBeenCalled()
})

test('a result that JSON would change is an error for the model', async () => {
  const { execute } = toTool(await startBus('msgpack'), {})
  await rows([
    ['1n', 'it is a BigInt'],
    ['{ ratio: NaN }', 'ratio is NaN'],
    ['[new Uint8Array(2)]', '0 is bytes'],
  ])(async (result, text) =>
    expect(await execute({ code: `return ${result}` }, context)).toMatchObject({
      error: { message: expect.stringContaining(text) },
    }),
  )
})

test('a model reads of code that waits only that, and else what the code returned', async () => {
  const bus = await startBus()
  const { toModelOutput } = toTool(bus, {})
  const run = toPaying(bus, [])
  const read = async (code: string): Promise<unknown> =>
    JSON.parse(toModelOutput({ output: await run({ code }) }).value)
  expect(await read('console.log(1); await tools.pay({ order: 1 })')).toEqual({
    waits: 'The call of the tool "pay" waits for the approval of a person',
    logs: ['1'],
  })
  expect(await read('return [1]')).toEqual({ result: [1] })
})
