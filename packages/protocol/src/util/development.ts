// Whether this program is being developed: error texts and stacks then contain more help. The host decides, and passes it to its
// workers, because a sandboxed worker does not have the host's environment.

let development = process.env['NODE_ENV'] !== 'production'

/** True unless `NODE_ENV` is `production` in the host. */
export const isDevelopment = (): boolean => development

/** Called once in each worker, with what `isDevelopment` returns in the host. */
export function setDevelopment(value: boolean): void {
  development = value
}
