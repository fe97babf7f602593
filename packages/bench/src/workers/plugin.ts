// A process that measures one kind of plugin, and posts the figures.
import { measurePlugin } from '../plugin/measure-plugin.js'
import { PLUGIN_KINDS } from '../plugin/plugin-kinds.js'
import { answerParent } from '../run/answer-parent.js'

await answerParent(async ({ kind }: { kind: string }) => {
  const load = PLUGIN_KINDS[kind]
  if (!load) throw new Error(`Unknown kind of plugin '${kind}'`)
  return measurePlugin(load)
})
