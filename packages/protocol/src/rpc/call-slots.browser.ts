// `call-slots.ts` for browsers, where a page has few calls in flight.
import type { RequestId } from '../message/message.js'

export class CallSlots<Call extends { readonly id: RequestId | undefined }> extends Map<RequestId, Call> {
  isFree(id: number): boolean {
    return !this.has(id)
  }

  takeAll(): Call[] {
    const calls = [...this.values()]
    this.clear()
    return calls
  }
}
