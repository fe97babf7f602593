// Fakes in place of commands: functions, which are commands themselves, and fixed answers.
import { BusError } from '@sallyport/protocol'
import type { AnyCommand, Commands, CoreDefinition, Plugin } from '../define.js'

/** A command; an error, which it fails with; or what it answers. */
export type Fake = AnyCommand | Error | object | string | number | boolean | null | undefined

/** By the name that is called: `greet`, `plugin:fs|read_text_file`. */
export type Fakes = Readonly<Record<string, Fake>>

/** The definition with fakes in place of its commands, and beside them. @throws BusError `InvalidParams` */
export function withFakes(base: CoreDefinition, fakes: Fakes): CoreDefinition {
  const commands: Record<string, AnyCommand> = { ...base.commands }
  const plugins = new Map<string, Plugin>((base.plugins ?? []).map(plugin => [plugin.name, plugin]))
  for (const [name, fake] of Object.entries(fakes)) {
    const [, owner, command] = /^plugin:([^|]*)\|(.+)$/.exec(name) ?? []
    if (owner === undefined || command === undefined) commands[name] = commandOf(fake)
    else {
      const plugin = plugins.get(owner)
      const more: Commands = { ...plugin?.commands, [command]: commandOf(fake) }
      plugins.set(owner, { ...plugin, name: owner, commands: more })
    }
  }
  return { ...base, commands, plugins: [...plugins.values()] }
}

function commandOf(fake: Fake): AnyCommand {
  if (typeof fake === 'function') return fake as AnyCommand
  if (typeof fake === 'object' && fake !== null && (fake as { kind?: unknown }).kind === 'command') {
    return fake as AnyCommand
  }
  if (fake instanceof Promise) throw new BusError('InvalidParams', 'createTestBus: a fake is a promise: `await` it')
  if (fake instanceof Error) {
    return () => {
      throw fake
    }
  }
  return () => fake
}
