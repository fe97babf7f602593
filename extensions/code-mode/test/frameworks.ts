// Each framework with its own package, and a model that answers as a test says: it calls the code tool once, and then ends.
import { createCodeTool, tanstackTools } from '@cloudflare/codemode/tanstack-ai'
import { Agent } from '@mastra/core/agent'
import { createCodeMode as createMastraCodeMode, createTool } from '@mastra/core/tools'
import type { Bus } from '@sallyport/core'
import { type AnyTextAdapter, chat, type ServerTool, type StreamChunk, toolDefinition } from '@tanstack/ai'
import { createCodeMode } from '@tanstack/ai-code-mode'
import { generateText, isStepCount, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { z } from 'zod'
import { type CodeModeOptions, toExecutor, toIsolateDriver, toTool, toTransport } from '../src/index.js'

process.env['MASTRA_TELEMETRY_DISABLED'] = '1'

/** The arguments of each tool. */
export const args = z.object({ q: z.string(), more: z.unknown().optional() })
export type RunTool = (input: z.output<typeof args>) => unknown

export interface Scenario {
  /** The body of an async function. `$name(…)` calls a tool. */
  readonly code: string
  readonly tools?: Readonly<Record<string, RunTool>>
  readonly options?: Omit<CodeModeOptions, 'timeout' | 'memory'>
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/** Runs the code as a tool call of the model. Returns what the model reads then, as one string. */
export type Framework = (bus: Bus, scenario: Scenario) => Promise<string>

type AgentModel = ConstructorParameters<typeof Agent>[0]['model']

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** Returns a model of the AI SDK that calls a tool once. `prompts` are what it reads. */
export function scriptModel(toolName: string, input: object): { model: MockLanguageModelV4; prompts: () => string[] } {
  const model = new MockLanguageModelV4({
    doGenerate: async () => {
      const isFirst = model.doGenerateCalls.length === 1
      const call = { type: 'tool-call', toolCallId: 'call', toolName, input: JSON.stringify(input) } as const
      return {
        content: [isFirst ? call : { type: 'text', text: 'done' }],
        finishReason: { unified: isFirst ? 'tool-calls' : 'stop', raw: undefined },
        usage,
        warnings: [],
      }
    },
  })
  return { model, prompts: () => model.doGenerateCalls.map(({ prompt }) => JSON.stringify(prompt.at(-1))) }
}

/** Lets TanStack AI's `chat` call a tool once. Returns the message with the tool's result. */
async function chatOnce(tools: ServerTool[], name: string, input: object, signal?: AbortSignal): Promise<string> {
  let answer = ''
  const base = { timestamp: 0, model: 'scripted', runId: 'run', threadId: 'thread' }
  const callTool = [
    { type: 'TOOL_CALL_START', toolCallId: 'call', toolCallName: name, toolName: name },
    { type: 'TOOL_CALL_ARGS', toolCallId: 'call', delta: JSON.stringify(input) },
    { type: 'TOOL_CALL_END', toolCallId: 'call', toolCallName: name, toolName: name },
    { type: 'RUN_FINISHED', finishReason: 'tool_calls' },
  ]
  const adapter = {
    ...{ kind: 'text', name: 'scripted', model: 'scripted', '~types': {} },
    structuredOutput: async () => ({ data: {}, rawText: '' }),
    async *chatStream({ messages }: { messages: { role: string; content: unknown }[] }) {
      const result = messages.find(({ role }) => role === 'tool')
      if (result) answer = String(result.content)
      const events = result ? [{ type: 'RUN_FINISHED', finishReason: 'stop' }] : callTool
      for (const event of [{ type: 'RUN_STARTED' }, ...events]) yield { ...base, ...event } as StreamChunk
    },
  } as unknown as AnyTextAdapter
  const abortController = new AbortController()
  signal?.addEventListener('abort', () => abortController.abort())
  for await (const _ of chat({ adapter, tools, abortController, messages: [{ role: 'user', content: 'Go' }] }));
  return answer
}

const toTanstackTools = (tools: Readonly<Record<string, RunTool>> = { unused: () => null }): ServerTool[] =>
  Object.entries(tools).map(([name, run]) =>
    toolDefinition({ name, description: name, inputSchema: args }).server(async input => run(input)),
  )

export const frameworks: Readonly<Record<string, Framework>> = {
  'AI SDK': async (bus, { code, tools = {}, options, timeout, signal }) => {
    const all = Object.entries(tools).map(([name, run]) => [
      name,
      tool({ description: name, inputSchema: args, execute: async input => run(input) }),
    ])
    const run_code = toTool(bus, {
      ...options,
      ...(timeout !== undefined && { timeout }),
      tools: Object.fromEntries(all) as Record<string, ReturnType<typeof tool>>,
    })
    const { model, prompts } = scriptModel('run_code', { code: code.replaceAll('$', 'tools.') })
    const abort = signal && { abortSignal: signal }
    await generateText({ model, tools: { run_code }, stopWhen: isStepCount(3), prompt: 'Go', ...abort })
    return prompts().at(-1)!
  },
  'TanStack AI': async (bus, { code, tools, options, timeout, signal }) => {
    const driver = toIsolateDriver(bus, { ...options, ...(signal && { signal }) })
    const codeMode = createCodeMode({
      driver,
      tools: toTanstackTools(tools),
      ...(timeout !== undefined && { timeout }),
    })
    return chatOnce(codeMode.tools, codeMode.tool.name, { typescriptCode: code.replaceAll('$', 'external_') })
  },
  Mastra: async (bus, { code, tools = {}, options, timeout, signal }) => {
    const all = Object.entries(tools).map(([id, run]) => [
      id,
      createTool({ id, description: id, inputSchema: args, execute: async input => run(input) }),
    ])
    const config = { tools: Object.fromEntries(all) as Record<string, ReturnType<typeof createTool>> }
    const codeMode = createMastraCodeMode(
      { ...config, ...(timeout !== undefined && { timeout }) },
      toTransport(bus, options),
    )
    const { model, prompts } = scriptModel('execute_typescript', { code: code.replaceAll('$', 'external_') })
    const agent = new Agent({
      ...{ id: 'agent', name: 'agent', instructions: codeMode.instructions },
      // The types of Mastra and of the mock disagree on what `doGenerate` returns.
      model: model as unknown as AgentModel,
      tools: { [codeMode.tool.id]: codeMode.tool },
    })
    await agent.generate('Go', { ...(signal && { abortSignal: signal }) })
    return prompts().at(-1) ?? ''
  },
  'Cloudflare codemode': async (bus, { code, tools, options, timeout, signal }) => {
    const executor = toExecutor(bus, {
      ...options,
      ...(timeout !== undefined && { timeout }),
      ...(signal && { signal }),
    })
    const codeTool = createCodeTool({ tools: [tanstackTools(toTanstackTools(tools))], executor })
    const source = `async () => {${code.replaceAll('$', 'codemode.')}\n}`
    return chatOnce([codeTool], codeTool.name, { code: source })
  },
}
