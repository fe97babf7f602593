// The types of a page's client: those of a core module, or none.
import type { Client } from '@sallyport/frontend'
import { defineCore } from '@sallyport/core'
import { connect, createClient } from '@sallyport/web/client'
import { expectTypeOf, test } from 'vitest'

const core = defineCore({
  commands: {
    greet: ({ name }: { name: string }) => `Hello, ${name}!`,
    async *count({ to }: { to: number }) {
      for (let n = 0; n < to; n++) yield { n, at: new Date() }
    },
  },
})

test('connect takes the type of a core module', async () => {
  const client = await connect<typeof core>({ url: 'http://localhost' })
  expectTypeOf(await client.invoke('greet', { name: 'page' })).toEqualTypeOf<string>()
  for await (const item of client.stream('count', { to: 1 }))
    expectTypeOf(item).toEqualTypeOf<{ n: number; at: string }>()
  expectTypeOf(client.label).toEqualTypeOf<string>()
  // @ts-expect-error
  void client.invoke('gret', { name: 'page' })
  // @ts-expect-error
  void client.invoke('greet', { name: 1 })
})

test('connect takes the types of events too', async () => {
  const client = await connect<typeof core, { events: { progress: { percent: number } } }>()
  await client.listen('progress', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<{ percent: number }>())
  // @ts-expect-error
  void client.emit('progres', { percent: 1 })
})

test('createClient types a client that is connected already', async () => {
  const client = await connect()
  expectTypeOf(client).toEqualTypeOf<Client>()
  expectTypeOf(createClient<typeof core>(client).invoke('greet', { name: 'a' })).toEqualTypeOf<Promise<string>>()
})
