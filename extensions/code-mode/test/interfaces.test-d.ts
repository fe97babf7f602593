// The adapters fit the interfaces of today's packages.
import type { Executor } from '@cloudflare/codemode'
import type { CodeInput } from '../src/to-tool.js'
import type { createCodeMode } from '@mastra/core/tools'
import type { Bus } from '@sallyport/core'
import type { IsolateDriver } from '@tanstack/ai-code-mode'
import { tool, type ToolSet } from 'ai'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { toExecutor, toIsolateDriver, type ToolOptions, toTool, toTransport } from '../src/index.js'

declare const bus: Bus

test('toExecutor', () => {
  expectTypeOf(toExecutor(bus)).toExtend<Executor>()
})

test('toIsolateDriver', () => {
  expectTypeOf(toIsolateDriver(bus)).toExtend<IsolateDriver>()
})

test('toTransport', () => {
  expectTypeOf(toTransport(bus)).toExtend<NonNullable<Parameters<typeof createCodeMode>[1]>>()
})

test('toTool', () => {
  expectTypeOf({ run_code: toTool(bus) }).toExtend<ToolSet>()
  expectTypeOf<ToolSet>().toExtend<NonNullable<ToolOptions['tools']>>()
  const search = tool({ inputSchema: z.object({ query: z.string() }), execute: ({ query }) => query })
  expectTypeOf({ search }).toExtend<NonNullable<ToolOptions['tools']>>()
  expectTypeOf(toTool(bus, { tools: { search } }).execute)
    .parameter(0)
    .toEqualTypeOf<CodeInput>()
})
