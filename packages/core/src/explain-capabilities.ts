// Where a review of capabilities begins. Like a bus, it is loaded when it is called: a core module imports this package too.
import type { Explanation } from './authority/explain.js'
import type { ExplainOptions } from './host/review.js'

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
