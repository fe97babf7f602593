// What each process of the tests does with its parent: answers what it is asked, over Node's IPC, and ends by itself when it is
// told to close. Where the parent is gone it has nobody to work for.
import process from 'node:process'

/** What the parent has given to it. */
export const given = JSON.parse(process.env.SALLYPORT_TEST ?? '{}')

const plain = error => ({ reason: error?.reason, message: String(error?.message ?? error), data: error?.data })

/** @param methods by name; `close` ends all that there is, so that the process has nothing left to live for */
export function serve(methods) {
  const orphaned = () => process.exit(1)

  async function answer({ id, method, args }) {
    let said
    try {
      said = { id, result: await methods[method](args) }
    } catch (error) {
      said = { id, error: plain(error) }
    }
    process.send(said, () => {
      if (method !== 'close' || said.error) return
      process.off('disconnect', orphaned)
      process.disconnect()
    })
  }

  process.on('disconnect', orphaned)
  process.on('message', question => void answer(question))
  process.send({ ready: true })
}
