// A core like the app's, in which some handlers are fakes. All else is real: the IPC, the capabilities, the isolation hook, and
// the handlers that are not named.
import type { CoreDefinition } from '@sallyport/core'

/** @param fakes by the names that a frontend calls: `title_of`, `plugin:fs|write_text_file` */
export function withFakes(core: CoreDefinition, fakes: CoreDefinition['commands'] & {}): CoreDefinition {
  const of = (prefix: string) =>
    Object.fromEntries(
      Object.entries(fakes)
        .filter(([name]) => name.startsWith(prefix) && name.slice(prefix.length).includes('|') === false)
        .map(([name, fake]) => [name.slice(prefix.length), fake]),
    )
  return {
    ...core,
    commands: { ...core.commands, ...of('') },
    plugins: (core.plugins ?? []).map(plugin => ({
      ...plugin,
      commands: { ...plugin.commands, ...of(`plugin:${plugin.name}|`) },
    })),
  }
}
