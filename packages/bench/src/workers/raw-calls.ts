// Calls and their answers over anything that carries messages, as anyone would write them first: a number to find the promise
// again, and nothing else.
import type { CallPeer, Handlers } from '../peers/peer.js'
import type { RawMessage } from './raw-subject.js'

export interface Lane {
  send(message: RawMessage): void
  receive(take: (message: RawMessage) => void): void
}

export function answerOver({ send, receive }: Lane, handlers: Handlers): void {
  receive(({ call, command, value }) => {
    const answer = handlers[command ?? '']?.(value as never)
    if (answer instanceof Promise) void answer.then(late => send({ answer: call!, value: late }))
    else send({ answer: call!, value: answer })
  })
}

export function callOver({ send, receive }: Lane): CallPeer {
  const pending = new Map<number, (value: unknown) => void>()
  let calls = 0
  receive(({ answer, value }) => {
    const settle = pending.get(answer!)
    pending.delete(answer!)
    settle?.(value)
  })
  return (command, value) =>
    new Promise(resolve => {
      pending.set(++calls, resolve)
      send({ call: calls, command, value })
    })
}
