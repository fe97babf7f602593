// `#call-slots` for browsers, where a page has few calls in flight.
import type { RequestId } from '../wire/messages.js'
import type { CallSlots as NodeCallSlots } from './call-slots.js'

export class CallSlots<Call extends { readonly id: RequestId | undefined }>
  extends Map<RequestId, Call>
  implements Pick<NodeCallSlots<Call>, keyof NodeCallSlots<Call>>
{
  take(id: RequestId): Call | undefined {
    const call = this.get(id)
    this.delete(id)
    return call
  }

  isFree(id: number): boolean {
    return !this.has(id)
  }

  all(): Call[] {
    return [...this.values()]
  }

  takeAll(): Call[] {
    const calls = this.all()
    this.clear()
    return calls
  }
}
