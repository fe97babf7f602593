// A command that interrupts, which no framework knows.
import { createBus, defineCore } from '@sallyport/core'
import { expect, test } from 'vitest'
import { toTool } from '../src/index.js'

test('code that a command interrupts has failed, and says why', async () => {
  const core = defineCore({ commands: { pay: (_, ctx) => ctx.interrupt({ amount: 1 }) } })
  const bus = await createBus({ core, log: false, runs: { key: new Uint8Array(32).fill(1) } })
  try {
    const context = { toolCallId: '1', messages: [], context: undefined }
    const result = await toTool(bus, { allow: ['pay'] }).execute({ code: `return invoke('pay')` }, context)
    expect(result).toMatchObject({ error: { name: 'Interrupted', reason: 'Interrupted' } })
  } finally {
    await bus.close()
  }
})
