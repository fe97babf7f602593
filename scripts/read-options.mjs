// Reads and checks the options of a script. `--help` prints the usage. An unknown option prints what is wrong and the usage, and exits
// with 2.
import { parseArgs } from 'node:util'

/**
 * @param options - as for `parseArgs`
 * @returns the values by name
 */
export function readOptions(usage, options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } })
    if (!values.help) return values
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`)
    process.exit(2)
  }
}
