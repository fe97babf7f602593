// @ts-check
// Starts the processes of this example, and calls functions that their modules export.
import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Milliseconds for a process to end by itself. */
const GRACE = 5000

export class Process {
  #child
  #gone

  /** @param {string} module @param {string} name */
  constructor(module, name) {
    this.name = name
    this.#child = fork(new URL('./child.js', import.meta.url), [module], { env: { ...process.env, NAME: name } })
    this.#gone = once(this.#child, 'exit')
  }

  /**
   * Calls a function of its module. Only one call at a time.
   *
   * @param {string} name
   * @param {unknown} [options]
   */
  async ask(name, options) {
    const over = this.#gone.then(() => {
      throw new Error(`${this.name} has ended`)
    })
    this.#child.send({ name, options })
    const [{ result, error }] = await Promise.race([once(this.#child, 'message'), over])
    if (error !== undefined) throw new Error(`${this.name}: ${error}`)
    return result
  }

  /** Kills the process at once. */
  async kill() {
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  async end() {
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GRACE)
    await this.#gone
    clearTimeout(timer)
  }
}
