// The host's half of `confirm(text)` in an isolation hook. The gate's thread sleeps until it is answered, as a page does
// while its dialog is open.
import { CONFIRM_WORD, type ConfirmRequest } from '@sallyport/protocol'
import type { MessagePort } from 'node:worker_threads'

export function answerConfirm(
  port: MessagePort,
  shared: SharedArrayBuffer,
  onConfirm: (text: string) => boolean | Promise<boolean>,
): void {
  const answer = new Int32Array(shared)
  port.on('message', ({ text }: ConfirmRequest) => {
    void (async (): Promise<boolean> => onConfirm(text))()
      .catch(() => false)
      .then(agreed => {
        Atomics.store(answer, 0, agreed === true ? CONFIRM_WORD.yes : CONFIRM_WORD.no)
        Atomics.notify(answer, 0)
      })
  })
  // A question that may come is no reason for the process to stay.
  port.unref()
}
