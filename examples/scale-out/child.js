// @ts-check
// What each process of this example runs: the functions of one module, as it is asked to. It ends when the program that started it
// lets go of it, and that is also when that program is gone: so nothing is left, however it ended.

const module = await import(String(process.argv[2]))

/** @param {{ name: string, options: unknown }} asked */
async function answer({ name, options }) {
  try {
    process.send?.({ result: await module[name](options) })
  } catch (error) {
    process.send?.({ error: /** @type {Error} */ (error).message })
  }
}

process.on('message', asked => void answer(/** @type {Parameters<typeof answer>[0]} */ (asked)))

process.once('disconnect', () => {
  setTimeout(() => process.exit(1), 3000).unref()
  void Promise.resolve(module.end()).finally(() => process.exit())
})

// Ctrl+C and a terminal that closes go to every process in it: the program hears of them, and this one of the program.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {})
