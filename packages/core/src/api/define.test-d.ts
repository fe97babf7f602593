// Types that an editor infers for a core module: arguments from the schema, results, the context.
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  BaseDirectory,
  type Channel,
  command,
  type Command,
  type CommandContext,
  defineCore,
  plugin,
  stateKey,
} from '../index.js'

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

test('middleware', () => {
  const core = defineCore({
    use: [
      async ({ command: name, args, ctx }, next) => {
        expectTypeOf(name).toEqualTypeOf<string>()
        expectTypeOf(args).toEqualTypeOf<unknown>()
        expectTypeOf(ctx).toEqualTypeOf<CommandContext>()
        expectTypeOf(next).toEqualTypeOf<() => Promise<unknown>>()
        // @ts-expect-error the arguments are not replaced
        await next({ name: 'x' })
        return next()
      },
    ],
    commands: { add: ({ a, b }: { a: number; b: number }) => a + b },
  })
  expectTypeOf(core.commands.add).toEqualTypeOf<(args: { a: number; b: number }) => number>()
  // @ts-expect-error a list
  defineCore({ use: () => {} })
})

interface Sum {
  a: number
  b: number
}

test('arguments without a type can be anything', () => {
  const read = plugin('fs', {
    commands: {
      read: ({ path }, { label }) => {
        expectTypeOf(path).toEqualTypeOf<unknown>()
        expectTypeOf(label).toEqualTypeOf<string>()
        return 'text'
      },
      size: (bytes: Uint8Array, ctx) => bytes.length + ctx.label.length,
    },
  })
  expectTypeOf(read.commands?.read).parameter(0).toEqualTypeOf<Record<string, unknown>>()
  const core = defineCore({
    commands: {
      greet: ({ name }, ctx) => {
        expectTypeOf(name).toEqualTypeOf<unknown>()
        expectTypeOf(ctx).toEqualTypeOf<CommandContext>()
        return `Hello, ${String(name)}!`
      },
      all: args => expectTypeOf(args).toEqualTypeOf<Record<string, unknown>>(),
      add: ({ a, b }: Sum, ctx) => ctx.label + String(a + b),
      async *count({ to }) {
        yield to
      },
    },
    plugins: [read, plugin('db', { commands: { rows: ({ table }, ctx) => [table, ctx.label] } })],
  })
  expectTypeOf(core.commands.greet).toEqualTypeOf<(args: Record<string, unknown>, ctx: CommandContext) => string>()
  expectTypeOf(core.commands.add).parameter(0).toEqualTypeOf<Sum>()
  // @ts-expect-error an unknown value is not a number
  defineCore({ commands: { twice: ({ n }) => 2 * n } })
})

test('state and resources', () => {
  class Counter {
    count = 0
  }
  const settings = stateKey<{ theme: string }>('settings')
  defineCore({
    commands: {
      count: (_args: unknown, ctx) => {
        expectTypeOf(ctx.state(Counter)).toEqualTypeOf<Counter>()
        expectTypeOf(ctx.state(settings)).toEqualTypeOf<{ theme: string }>()
        expectTypeOf(ctx.resources.get(1, Counter)).toEqualTypeOf<Counter>()
        expectTypeOf(ctx.resources.get(1)).toEqualTypeOf<object>()
        expectTypeOf(ctx.resources.add(new Counter())).toEqualTypeOf<number>()
        // @ts-expect-error a resource is an object
        ctx.resources.add(5)
        return ctx.state(Counter).count
      },
    },
    setup(app) {
      expectTypeOf(app.manage(Counter, new Counter())).toEqualTypeOf<boolean>()
      // @ts-expect-error settings have a theme
      app.manage(settings, { them: 'dark' })
      // @ts-expect-error a directory is known by its number
      app.path.resolve('Home')
      expectTypeOf(app.path.resolve(BaseDirectory.Home, 'x')).toEqualTypeOf<string>()
    },
    teardown: async app => app.emit('bye'),
  })
  plugin('files', {
    permissions: [{ default: { permissions: ['allow-read'] } }],
    setup(_app, api) {
      expectTypeOf(api.config).toEqualTypeOf<unknown>()
      expectTypeOf(api.scope.allow).toEqualTypeOf<readonly unknown[]>()
    },
    teardown: app => app.log.info('bye'),
  })
  // @ts-expect-error permissions are files as Tauri has them
  plugin('files', { permissions: ['allow-read'] })
})

test('mistakes', () => {
  // @ts-expect-error a command is a function, or made with command()
  defineCore({ commands: { x: 5 } })
  // @ts-expect-error an object is not a command
  defineCore({ commands: { x: {} } })
  // @ts-expect-error the handler's arguments are the schema's
  command({ args: z.object({ name: z.string() }) }, ({ nam }: { nam: string }) => nam)
})
