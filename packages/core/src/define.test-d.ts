// What an editor knows of a core module: arguments from the schema, results, the context.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { command, defineCore, plugin, type Channel, type Command, type CommandContext } from './index.js'

test('commands', () => {
  const core = defineCore({
    commands: {
      greet: command({ args: z.object({ name: z.string().default('x') }) }, ({ name }, ctx) => {
        expectTypeOf(name).toEqualTypeOf<string>()
        expectTypeOf(ctx).toEqualTypeOf<CommandContext>()
        return `Hello, ${name}!`
      }),
      add: ({ a, b }: { a: number; b: number }) => a + b,
      body: (_args: unknown, ctx) => ctx.request.headers,
      download: async ({ progress }: { progress: Channel<number> }) => {
        await progress.send(1)
        // @ts-expect-error a channel of numbers carries numbers
        await progress.send('x')
      },
      heavy: command({ args: z.object({ n: z.number() }), thread: new URL('file:///x') }),
    },
    plugins: [plugin('fs', { commands: { read: ({ path }: { path: string }) => path }, setup: app => app.emit('x') })],
    setup(app) {
      app.listen<number>('x', event => expectTypeOf(event.payload).toEqualTypeOf<number>())
    },
  })
  expectTypeOf(core.commands.greet).toEqualTypeOf<Command<{ name?: string | undefined }, string>>()
  expectTypeOf(core.commands.add).toEqualTypeOf<(args: { a: number; b: number }) => number>()
  expectTypeOf(core.commands.heavy).toEqualTypeOf<Command<{ n: number }, Promise<unknown>>>()
})

test('mistakes', () => {
  // @ts-expect-error a command is a function, or made with command()
  defineCore({ commands: { x: 5 } })
  // @ts-expect-error the handler's arguments are the schema's
  command({ args: z.object({ name: z.string() }) }, ({ nam }: { nam: string }) => nam)
})
