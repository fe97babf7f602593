// `invoke` of @tauri-apps/api with the types of a core's commands: as a separate type, and by a declaration.
import { Channel as TauriChannel, invoke } from '@tauri-apps/api/core'
import type { CommandName, TauriInvoke, TauriParameters, TauriResult } from '@sallyport/frontend'
import { expectTypeOf, test } from 'vitest'
import { defineCore, plugin, type Channel } from '../../src/index.js'

const core = defineCore({
  commands: {
    typed_greet: ({ name }: { name: string }) => ({ name, at: new Date() }),
    typed_ping: () => 'pong',
    typed_read: ({ path }: { path: string }) => new Uint8Array(path.length),
    typed_watch: ({ log }: { log: Channel<{ at: Date }> }) => log.end(),
    async *typed_count() {
      yield 1
    },
  },
  plugins: [plugin('typed-fs', { commands: { list: ({ path }: { path: string }) => [path] } })],
})
type Core = typeof core

// A project has this in a declaration file. It applies to the whole program, so no other test uses these names.
declare module '@tauri-apps/api/core' {
  export function invoke<Name extends CommandName<Core>>(
    command: Name,
    ...call: TauriParameters<Core, Name>
  ): Promise<TauriResult<Core, Name>>
}

test('TauriInvoke types invoke', () => {
  const typed = invoke as TauriInvoke<Core>
  expectTypeOf(typed('typed_greet', { name: 'x' })).resolves.toEqualTypeOf<{ name: string; at: string }>()
  expectTypeOf(typed('typed_ping')).resolves.toEqualTypeOf<string>()
  expectTypeOf(typed('typed_ping', {}, { headers: { a: 'b' } })).resolves.toEqualTypeOf<string>()
  expectTypeOf(typed('typed_read', { path: '' })).resolves.toEqualTypeOf<ArrayBuffer>()
  expectTypeOf(typed('plugin:typed-fs|list', { path: '' })).resolves.toEqualTypeOf<string[]>()
  void typed('typed_watch', { log: new TauriChannel(({ at }) => expectTypeOf(at).toEqualTypeOf<string>()) })

  // @ts-expect-error no such command
  void typed('typed_gret', { name: 'x' })
  // @ts-expect-error the name is missing
  void typed('typed_greet', {})
  // @ts-expect-error arguments are missing
  void typed('typed_greet')
  // @ts-expect-error a text
  void typed('typed_greet', { name: 1 })
  // @ts-expect-error Tauri's invoke has no signal
  void typed('typed_ping', {}, { signal: AbortSignal.timeout(1) })
  // @ts-expect-error Tauri has no streams
  void typed('typed_count')
  // @ts-expect-error core sends objects with a string in them
  void typed('typed_watch', { log: new TauriChannel<number>() })
})

test('a declaration types invoke', () => {
  expectTypeOf(invoke('typed_greet', { name: 'x' })).resolves.toEqualTypeOf<{ name: string; at: string }>()
  expectTypeOf(invoke('plugin:typed-fs|list', { path: '' })).resolves.toEqualTypeOf<string[]>()
  // Other calls keep their types.
  expectTypeOf(invoke('typed_greet', {})).resolves.toEqualTypeOf<unknown>()
  expectTypeOf(invoke<number>('other', { a: 1 })).resolves.toEqualTypeOf<number>()
})
