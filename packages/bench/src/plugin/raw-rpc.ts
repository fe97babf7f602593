// Calls in both directions over anything that posts messages, without checks: what a program without a library writes.

type Functions = Readonly<Record<string, (args: never) => unknown>>

type RawMessage = { id: number; method: string; params: never } | { id: number; result?: unknown; error?: string }

type Settle = { resolve(result: unknown): void; reject(error: Error): void }

interface Messages {
  post(message: object): void
  listen(receive: (message: RawMessage) => void): void
}

/** @param getFunctions - returns the functions that the other side calls */
export function connectRaw(
  { post, listen }: Messages,
  getFunctions: () => Functions,
): (method: string, params: unknown) => Promise<unknown> {
  const pending = new Map<number, Settle>()
  let calls = 0
  const answer = async (id: number, method: string, params: never): Promise<void> => {
    try {
      post({ id, result: await getFunctions()[method]!(params) })
    } catch (error) {
      post({ id, error: (error as Error).message })
    }
  }
  listen(message => {
    if ('method' in message) return void answer(message.id, message.method, message.params)
    const settle = pending.get(message.id)
    pending.delete(message.id)
    if (message.error === undefined) settle?.resolve(message.result)
    else settle?.reject(new Error(message.error))
  })
  return (method, params) =>
    new Promise((resolve, reject) => {
      pending.set(++calls, { resolve, reject })
      post({ id: calls, method, params })
    })
}
