// @ts-check
// Runs scripts that a language model writes. Each runs in a sandbox with JavaScript and the tools, without Node.js, for a limited time.
// Returns the script's answer or the reason of its failure, and what it printed, for the model to read.
import { createBus } from '@sallyport/core'

const TOOLS = ['list_files', 'read_file', 'write_file', 'delete_file']

/** Limit of what a script can print, in UTF-16 code units. */
const MAX_PRINTED = 10_000

/** Makes functions of the tools. It stands in the first line of each script, so that line numbers in errors are the script's own. */
const FUNCTIONS = TOOLS.map(name => `const ${name} = args => invoke('plugin:tools|${name}', args); `).join('')

/**
 * @typedef {object} Options
 * @property {string} workspace the directory of the agent's files
 * @property {string} audit the file that its calls are written to
 * @property {(question: string) => boolean | Promise<boolean>} onConfirm asks a person
 * @property {number} [timeout] limit of a script's run in ms, including the time that a person takes to answer. 5000 by default
 */

/** @param {Options} options */
export async function createAgentHost({ workspace, audit, onConfirm, timeout = 5000 }) {
  const bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    config: { plugins: { tools: { audit } } },
    isolation: { dir: new URL('./dist-isolation/', import.meta.url) },
    calls: { quotas: [{ labels: ['agent'], commands: ['plugin:tools|*'], rate: 20, concurrency: 4 }] },
    onConfirm,
    log: false, // this example prints the audit log instead
  })
  const allow = TOOLS.map(name => ({ permission: `plugin:tools|${name}`, allow: [{ workspace }] }))

  /**
   * Runs one script, and removes it. Returns its answer or the reason of its failure, and what it printed.
   *
   * @param {string} code
   * @returns {Promise<{ answer?: unknown, failed?: string, printed: string }>}
   */
  async function run(code) {
    let printed = ''
    const onStdio = (/** @type {string} */ text) => void (printed = (printed + text).slice(0, MAX_PRINTED))
    try {
      // One label for all scripts, so that the quota counts for the whole conversation.
      const options = { label: 'agent', allow, timeout, limits: { memory: 64, time: 100 }, onStdio }
      return { answer: await bus.run(FUNCTIONS + code, options), printed }
    } catch (error) {
      return { failed: /** @type {Error} */ (error).message, printed }
    }
  }
  return { run, close: () => bus.close() }
}
