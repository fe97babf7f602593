// @ts-check
// Runs scripts that a language model writes. Each runs in a sandbox with JavaScript and the tools, without Node.js, for a limited time.
// Returns the script's answer, or the reason of its failure, for the model to read.
import { createBus, isBusError } from '@sallyport/core'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TOOLS = ['list_files', 'read_file', 'write_file', 'delete_file']

/**
 * Wraps the model's code in a function, in which the tools have their names. The code begins in the first line, so that line numbers
 * in errors are its own.
 *
 * @param {string} code
 */
const scriptOf = code =>
  `const call = name => args => sallyport.invoke('plugin:tools|' + name, args); ` +
  TOOLS.map(name => `const ${name} = call('${name}'); `).join('') +
  `sallyport.expose({ async run() { ${code}\n} })`

/**
 * @typedef {object} Options
 * @property {string} workspace the directory of the agent's files
 * @property {string} audit the file that its calls are written to
 * @property {(question: string) => boolean | Promise<boolean>} onConfirm asks a person
 * @property {number} [timeout] limit of a script's run in ms, including the time that a person takes to answer. 5000 by default
 */

/** @param {Options} options */
export async function createAgentHost({ workspace, audit, onConfirm, timeout = 5000 }) {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  const scope = { allow: [{ workspace }] }
  const bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    pluginOptions: { tools: { audit } },
    isolation: { dir: new URL('./dist-isolation/', import.meta.url) },
    capabilities: [
      {
        identifier: 'agent',
        windows: ['agent'],
        permissions: TOOLS.map(name => ({ identifier: `tools:allow-${name.replaceAll('_', '-')}`, ...scope })),
      },
    ],
    calls: { quotas: [{ labels: ['agent'], commands: ['plugin:tools|*'], rate: 20, concurrency: 4 }] },
    onConfirm,
    log: false, // this example prints the audit log instead
  })

  let count = 0
  /**
   * Runs one script, and removes it.
   *
   * @param {string} code
   * @returns {Promise<{ answer: unknown } | { failed: string }>}
   */
  async function run(code) {
    const file = join(directory, `${++count}.js`)
    await writeFile(file, scriptOf(code))
    try {
      // One label for all scripts, so that the quota counts for the whole conversation.
      await bus.open('agent', file, { sandbox: 'ses', supervision: { restart: 'temporary' }, loaded: false })
      return { answer: await bus.call('agent', 'run', {}, { timeout }) }
    } catch (error) {
      if (isBusError(error, 'Timeout')) return { failed: `no answer after ${timeout} ms` }
      // The cause of a call whose script has ended is the script's error.
      const { message, cause } = /** @type {Error} */ (error)
      const why = cause instanceof Error ? cause.message : message
      return { failed: why.replace(`Frontend script ${file}`, 'the script') }
    } finally {
      await bus.closeFrontend('agent').catch(() => {}) // it can have ended by itself
    }
  }

  async function close() {
    await bus.close()
    await rm(directory, { recursive: true })
  }
  return { run, close }
}
