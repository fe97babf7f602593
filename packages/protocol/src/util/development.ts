// Whether this program is being developed: error texts and stacks then contain more help. The host decides, and passes it to its
// workers, because a sandboxed worker does not have the host's environment.
import { IS_DEVELOPMENT } from '#platform'

let development = IS_DEVELOPMENT

/** True unless `NODE_ENV` is `production` in the host. */
export const isDevelopment = (): boolean => development

/** Called once in each worker, with what `isDevelopment` returns in the host. */
export function setDevelopment(value: boolean): void {
  development = value
}
