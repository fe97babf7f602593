// @ts-check
// What each process of this example runs: the functions of one module, as it is asked to. It ends when the program that started it
// lets go of it, and that is also when that program is gone: so nothing is left, however it ended.

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
  setTimeout(() => process.exit(1), 3000).unref() // rather than never
  const module = await loading
  await module.end()
  process.exit()
}

process.on('message', asked => void answer(/** @type {Parameters<typeof answer>[0]} */ (asked)))
process.once('disconnect', () => void end())
// Ctrl+C and a terminal that closes go to every process in it: the program hears of them, and this one of the program.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {})
