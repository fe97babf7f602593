// @ts-check
// Runs what a language model writes: each script in a sandbox that has JavaScript and the tools, and nothing of Node, for as
// long as the host lets it. What comes back is the script's answer, or why there is none, for the model to read.
import { createBus, isBusError } from '@sallyport/core'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const TOOLS = ['list_files', 'read_file', 'write_file', 'delete_file']

/**
 * What the model writes is the body of a function, in which the tools are there by their names. It begins in the first line,
 * so that the lines which errors name are its own.
 *
 * @param {string} code
 */
const scriptOf = code =>
  `const call = name => args => sallyport.invoke('plugin:tools|' + name, args); ` +
  TOOLS.map(name => `const ${name} = call('${name}'); `).join('') +
  `sallyport.expose({ async run() { ${code}\n} })`

/**
 * @typedef {object} Options
 * @property {string} workspace the folder that the agent's files are in
 * @property {string} audit the file that its calls are written to
 * @property {(question: string) => boolean | Promise<boolean>} onConfirm asks a person
 * @property {number} [timeout] ms that a script may take, 5000 by default: a person's thinking counts
 */

/** @param {Options} options */
export async function createAgentHost({ workspace, audit, onConfirm, timeout = 5000 }) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  const scope = { allow: [{ workspace }] }
  const bus = await createBus({
    core: new URL('./core.js', import.meta.url),
    pluginOptions: { tools: { audit } },
    app: {
      security: {
        pattern: { use: 'isolation', options: { dir: new URL('./dist-isolation/', import.meta.url) } },
        capabilities: [
          {
            identifier: 'agent',
            windows: ['agent'],
            permissions: TOOLS.map(name => ({ identifier: `tools:allow-${name.replaceAll('_', '-')}`, ...scope })),
          },
        ],
      },
    },
    calls: { quotas: [{ windows: ['agent'], commands: ['plugin:tools|*'], rate: 20, concurrency: 4 }] },
    onConfirm,
    log: false, // the audit log is what a person reads here
  })

  /** What the script has died of, for whom it runs. @type {(why: string) => void} */
  let died = () => {}
  bus.on('fault', ({ error }) => died(error.message))

  let count = 0
  /**
   * Runs one script, and then nothing of it is left.
   *
   * @param {string} code
   * @returns {Promise<{ answer: unknown } | { failed: string }>}
   */
  async function run(code) {
    const file = join(folder, `${++count}.js`)
    await writeFile(file, scriptOf(code))
    const fault = new Promise(resolve => (died = resolve))
    try {
      // Under one label, so that a quota is that of the whole conversation.
      await bus.open('agent', file, { sandbox: 'ses', supervision: { restart: 'temporary' }, loaded: false })
      return { answer: await bus.call('agent', 'run', {}, { timeout }) }
    } catch (error) {
      if (isBusError(error, 'Timeout')) return { failed: `no answer after ${timeout} ms` }
      const why = isBusError(error, 'Disconnected') && (await Promise.race([fault, delay(5000)]))
      return {
        failed: String(why || /** @type {Error} */ (error).message).replace(`Frontend script ${file}`, 'the script'),
      }
    } finally {
      await bus.closeFrontend('agent').catch(() => {}) // it may have ended by itself
    }
  }

  async function close() {
    await bus.close()
    await rm(folder, { recursive: true })
  }
  return { run, close }
}
