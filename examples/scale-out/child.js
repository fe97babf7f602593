// @ts-check
// Runs in each process of this example, and calls functions of one module on request. It ends when the program that started it
// disconnects or ends, so no process is left.

const loading = import(String(process.argv[2]))

/** @param {{ name: string, options: unknown }} asked */
async function answer({ name, options }) {
  const module = await loading
  /** @type {{ result: unknown } | { error: string }} */
  const answer = await module[name](options).then(
    (/** @type {unknown} */ result) => ({ result }),
    (/** @type {Error} */ error) => ({ error: error.message }),
  )
  if (process.connected) process.send?.(answer)
}

async function end() {
  setTimeout(() => process.exit(1), 3000).unref() // if the module does not end
  const module = await loading
  await module.end()
  process.exit()
}

process.on('message', asked => void answer(/** @type {Parameters<typeof answer>[0]} */ (asked)))
process.once('disconnect', () => void end())
// Ctrl+C and a closing terminal signal every process in it. This one ignores them, and ends with the program.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {})
