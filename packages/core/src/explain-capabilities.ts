// Where a review of capabilities begins. Like a bus, it is loaded when it is called: a core module imports this package too.
import type { Explanation } from './authority/explain.js'
import type { CoreDefinition } from './define.js'
import type { BusOptions, ModuleLocation } from './host/options.js'

/** Those options of `createBus` that capabilities come from. */
export interface ExplainOptions extends Pick<BusOptions, 'config' | 'app' | 'permissions' | 'unknownPermissions'> {
  /** Whose commands they are. Without it, the app's commands are those that capabilities name. */
  core?: ModuleLocation | CoreDefinition
  /** Whose rights; without them, those of all labels that capabilities name, a glob standing for what it matches. */
  labels?: readonly string[]
}

/**
 * Says who may call what, and by which permission, without starting anything. `renderExplanation` makes a text of it.
 *
 * @throws BusError `InvalidParams` for the mistakes that `createBus` would throw for
 * @example
 * console.log(renderExplanation(await explainCapabilities({ config, core })))
 */
export async function explainCapabilities(options: ExplainOptions): Promise<Explanation> {
  const { review } = await import('./host/review.js')
  return review(options)
}
