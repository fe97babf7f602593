// The tool for the AI SDK, with the SDK's own tools.
import { generateText, isStepCount, jsonSchema, tool, type ToolSet } from 'ai'
import type { CodeOutput } from '../src/to-tool.js'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type ToolOptions, toTool } from '../src/index.js'
import { scriptModel } from './frameworks.js'
import { reuseBus } from './start.js'
import { ODD_ANSWERS } from '../../../scripts/odd-inputs.js'
import { rows } from '../../../scripts/testing.js'

const getBus = reuseBus()
const context = { toolCallId: 'call', messages: [], context: undefined }
const run = async (code: string, options: ToolOptions = {}): Promise<CodeOutput> =>
  toTool(getBus(), options).execute({ code }, context)

const search = tool({
  description: 'Finds notes.\nAlso old ones.',
  inputSchema: z.object({ query: z.string().describe('Words'), limit: z.number().default(3) }),
  outputSchema: z.array(z.string()),
  execute: async ({ query, limit }) => [query, String(limit)],
})

test('the description declares the tools with their types', () => {
  const lookup = tool({
    inputSchema: jsonSchema({ type: 'object', properties: { id: { type: 'number' } } }),
    execute: () => 1,
  })
  const { description } = toTool(getBus(), { tools: { search, 'look-up': lookup }, instructions: 'Be brief.' })
  expect(description).toContain(`declare const tools: {
/**
 * Finds notes.
 * Also old ones.
 */
"search"(args: { /** Words */ query: string; limit?: number }): Promise<Array<string>>
"look-up"(args: { id?: number }): Promise<unknown>
}

Be brief.`)
})

test('a tool gets the output of its schema, and its own id, messages and context', async () => {
  const execute = vi.fn<() => number>(() => 1)
  const count = tool({ inputSchema: z.object({ limit: z.number().default(3) }), execute })
  const code = 'return [await tools.count({}), await tools.count({ limit: 1 })]'
  expect(await run(code, { tools: { count } })).toEqual({ result: [1, 1] })
  const more = { messages: [], abortSignal: expect.any(AbortSignal) as AbortSignal }
  expect(execute).toHaveBeenNthCalledWith(1, { limit: 3 }, expect.objectContaining({ toolCallId: 'call-1', ...more }))
  expect(execute).toHaveBeenNthCalledWith(2, { limit: 1 }, expect.objectContaining({ toolCallId: 'call-2', ...more }))
})

test('arguments that the schema refuses do not reach the tool', () =>
  rows([
    ['a Standard Schema', z.object({ query: z.string() })],
    [
      'a schema of the AI SDK',
      jsonSchema({}, { validate: () => ({ success: false, error: new Error('query is missing') }) }),
    ],
    [
      'a schema that is made later',
      () => jsonSchema({}, { validate: () => ({ success: false, error: new Error('query') }) }),
    ],
  ])(async (_, inputSchema) => {
    const execute = vi.fn<() => void>()
    const tools = { search: { inputSchema, execute } } as unknown as ToolSet
    expect(await run('await tools.search({ query: 1 })', { tools })).toMatchObject({
      error: {
        reason: 'InvalidParams',
        message: expect.stringMatching(/arguments of the tool "search".*query/) as string,
      },
    })
    expect(execute).not.toHaveBeenCalled()
  }))

test('a tool is called for a schema that returns a value, and for no odd answer of one', async () => {
  const execute = vi.fn<() => number>(() => 1)
  const kinds = {
    'a Standard Schema': (validate: unknown) => ({ '~standard': { version: 1, vendor: 'test', validate } }),
    'a schema of the AI SDK': (validate: unknown) => ({ jsonSchema: {}, validate }),
  }
  const call = (inputSchema: unknown) =>
    run('return await tools.pay({})', { tools: { pay: { inputSchema, execute } } as unknown as ToolSet })
  const refusals = [...ODD_ANSWERS, ['{ success: false, value }', () => ({ success: false, value: {} })] as const]
  await rows(kinds)(async toSchema => {
    await rows(refusals)(async (_name, answer) => {
      expect(await call(toSchema(answer))).toHaveProperty('error')
      expect(execute).not.toHaveBeenCalled()
    })
    expect(await call(toSchema(() => ({ value: {} })))).toEqual({ result: 1 })
    execute.mockClear()
  })
})

test('a tool that has no function is not for the code', async () => {
  const tools: ToolSet = { search, ask: tool({ inputSchema: z.object({}) }) }
  expect(toTool(getBus(), { tools }).description).not.toContain('"ask"')
  const { result } = await run('return tools.ask({}).catch(error => error.message)', { tools })
  expect(result).toBe('The tool "ask" does not exist. Use one of: search')
})

test('a tool that needs approval does not run where nobody can be asked, and says so', async () => {
  const execute = vi.fn<() => number>(() => 1)
  const tools = { pay: tool({ inputSchema: z.object({}), needsApproval: true, execute }) }
  expect(toTool(getBus(), { tools }).description).toContain('"pay"')
  const { error } = await run('return tools.pay({})', { tools })
  expect(error).toMatchObject({ message: expect.stringMatching(/pay.*no key/) as string })
  expect(execute).not.toHaveBeenCalled()
})

test('code gets the last value of a tool that streams', async () => {
  const work = tool({
    inputSchema: z.object({}),
    async *execute() {
      yield 'working'
      yield 'done'
    },
  })
  expect(await run('return tools.work()', { tools: { work } })).toEqual({ result: 'done' })
})

test('code calls the commands that allow names', async () => {
  const code = `return invoke('add', { a: 1, b: 2 })`
  expect(await run(code, { allow: ['add'] })).toEqual({ result: 3 })
  expect(await run(code)).toMatchObject({ error: { name: 'Denied', reason: 'Denied' } })
})

test('code that returns nothing says so', () =>
  rows(["const result = await tools.search({ query: 'tea' })", 'if (false) return 1', 'const a: number = 1', ''])(
    async code => {
      const logs = ['The code returned nothing. End it with `return`.']
      expect(await run(code, { tools: { search } })).toEqual({ result: null, logs })
    },
  ))

test('a mistake has the line of the code within its fence', () =>
  rows<[string, number, RegExp]>([
    ['```js\n\nconst a = 1\na b\n```', 3, /run\.[jt]s:3:3/],
    ['```ts\nconst a: number = 1\nif (a) {\n```', 3, /run\.[jt]s:3:/],
    ['```js return 1```', 1, /run\.[jt]s:1:4/],
    ['Sure, here it is:\n```js\n\nno()\n```', 2, /no is not defined/],
  ])(async (code, line, text) => {
    const { error } = await run(code)
    expect(error).toMatchObject({ line, message: expect.stringMatching(text) as string })
  }))

test('a name that is no identifier has one with _ too', async () => {
  const tools = { 'look-up': search, '2nd': search }
  const code = `[await tools.look_up({ query: 'a' }), await tools['look-up']({ query: 'b' }), await tools._2nd({ query: 'c' })]`
  expect(await run(code, { tools })).toMatchObject({
    result: [
      ['a', '3'],
      ['b', '3'],
      ['c', '3'],
    ],
  })
})

test('an error has the line and the column of the code', async () => {
  const tools = { search }
  expect(await run(`\n  throw new TypeError('no')`, { tools })).toEqual({
    error: { name: 'TypeError', message: 'no', reason: 'CommandFailed', line: 2 },
  })
  expect(await run('a b', { tools })).toMatchObject({
    error: { name: 'SyntaxError', message: expect.stringMatching(/run\.[jt]s:1:3/) as string, line: 1 },
  })
})

test('tools that the code does not await end before it, and what they reject with is in the logs', async () => {
  const sent: string[] = []
  const send = tool({
    inputSchema: z.object({ to: z.string() }),
    execute: async ({ to }, { abortSignal }) => {
      await new Promise(setImmediate)
      if (to === 'c') throw new Error('c is away')
      if (!abortSignal?.aborted) sent.push(to)
    },
  })
  const code = `['a', 'b', 'c'].forEach(async to => { await tools.send({ to }) }); return 'all sent'`
  const logs = [expect.stringMatching(/^A promise rejected.* and was not awaited: c is away\. Await it\.$/)]
  expect(await run(code, { tools: { send } })).toEqual({ result: 'all sent', logs })
  expect(sent).toEqual(['a', 'b'])
})

test('a tool that had not ended in time is named', async () => {
  const controller = new AbortController()
  const wait = tool({
    inputSchema: z.object({}),
    execute: () => {
      controller.abort(new DOMException('late', 'TimeoutError'))
      return new Promise<string>(() => {})
    },
  })
  const { error } = await run('await tools.wait({})', { tools: { wait }, signal: controller.signal })
  expect(error).toMatchObject({ name: 'TimeoutError', message: expect.stringMatching(/not ended: "wait"$/) as string })
})

test('an error of a tool or a command names it, and has the line of its call, for the model', async () => {
  const fail = tool({
    inputSchema: z.object({}),
    execute: async (): Promise<string> => {
      throw new Error('no disk')
    },
  })
  expect(await run('\n\nawait tools.fail({})', { tools: { fail } })).toMatchObject({
    error: { name: 'CommandFailed', message: 'tools.fail failed: no disk (line 3: await tools.fail({}))', line: 3 },
  })
  const helper = `const help = () => tools.spill({})\nawait tools.fail({}).catch(() => {})\nawait help()`
  const spill = tool({ inputSchema: z.object({}), execute: (): Promise<string> => Promise.reject(new Error('no cup')) })
  const line = 'line 1: const help = () => tools.spill({})'
  expect(await run(helper, { tools: { fail, spill } })).toMatchObject({
    error: { message: `tools.spill failed: no cup (${line})` },
  })
  expect(await run(helper, { tools: { fail, spill: fail } })).toMatchObject({ error: { message: `no disk (${line})` } })
  expect(await run('throw { code: 5 }')).toMatchObject({ error: { message: 'The code threw {"code":5}' } })
  await expect(run('return 1', { signal: AbortSignal.abort() })).rejects.toMatchObject({ reason: 'Cancelled' })
})

test('the error of a tool names it as the code does, and says that it ran', () =>
  rows<[returned: () => unknown, text: string]>([
    [() => ({ count: 1n }), 'tools.odd ran, but its result cannot be serialized: count is a BigInt, which JSON'],
    [() => [new Map()], 'tools.odd ran, but its result cannot be serialized: [0] is a value of type Map'],
    [() => Number.NaN, 'tools.odd ran, but its result cannot be serialized: it is NaN'],
    [
      () => {
        throw null
      },
      'tools.odd failed: it threw null',
    ],
  ])(async (execute, text) => {
    const odd = tool({ inputSchema: z.object({}), execute })
    const { error } = await run('return tools.odd({})', { tools: { odd } })
    expect(error?.message).toContain(text)
    // A model cannot choose it.
    expect(error?.message).not.toContain('msgpack')
    const { result } = await run('try { await tools.odd({}) } catch (error) { return error.message }', {
      tools: { odd },
    })
    expect(result).toContain(text)
  }))

test('the signal of the generation ends the code and its tools', async () => {
  const controller = new AbortController()
  let signal: AbortSignal | undefined
  const wait = tool({
    inputSchema: z.object({}),
    execute: async (_, { abortSignal }) => {
      signal = abortSignal
      controller.abort()
      return new Promise<string>(() => {})
    },
  })
  const { model } = scriptModel('run_code', { code: 'await tools.wait()' })
  const runCode = toTool(getBus(), { tools: { wait } })
  const execute = vi.spyOn(runCode, 'execute')
  const running = generateText({
    ...{ model, prompt: 'Go', stopWhen: isStepCount(3), abortSignal: controller.signal },
    tools: { run_code: runCode },
  })
  await running.catch(() => {})
  // And not, later, by its own time limit.
  await expect(execute.mock.results[0]!.value).rejects.toMatchObject({ reason: 'Cancelled' })
  await expect.poll(() => signal?.aborted).toBe(true)
})

test('the model reads its own mistake in the input', async () => {
  const { model, prompts } = scriptModel('run_code', { source: 'return 1' })
  await generateText({ model, prompt: 'Go', stopWhen: isStepCount(3), tools: { run_code: toTool(getBus()) } })
  expect(prompts().at(-1)).toContain('code must be a string')
})

test('wrong options throw', async () => {
  await expect(run('', { timeout: -1 })).rejects.toMatchObject({ reason: 'InvalidParams' })
})
