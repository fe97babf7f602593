// Answers the calls of the test that has started this process, over Node's IPC. The process exits by itself after the call `close`, and
// when the test is gone.
import process from 'node:process'

/** Options from the test. */
export const options = JSON.parse(process.env.SALLYPORT_TEST ?? '{}')

const toPlain = error => ({ reason: error?.reason, message: String(error?.message ?? error), data: error?.data })

/** @param methods - functions by name; `close` must release everything that keeps the process alive */
export function serve(methods) {
  const onOrphaned = () => process.exit(1)

  async function answer({ id, method, args }) {
    let message
    try {
      message = { id, result: await methods[method](args) }
    } catch (error) {
      message = { id, error: toPlain(error) }
    }
    process.send(message, () => {
      if (method !== 'close' || message.error) return
      process.off('disconnect', onOrphaned)
      process.disconnect()
    })
  }

  process.on('disconnect', onOrphaned)
  process.on('message', call => void answer(call))
  process.send({ ready: true })
}
