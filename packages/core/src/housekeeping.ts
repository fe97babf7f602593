// The bus's own housekeeping: what a frontend tells core of its calls and channels. No command is called by it, and nothing is
// answered, but for what is none of it.
import { BusError, METHOD, describeCommand, type CallMessage } from '@sallyport/protocol'
import type { CallTable } from './calls.js'
import type { ChannelTable } from './channels.js'
import { beginTurn } from './turn.js'

/** @throws BusError `InvalidRequest` for what no frontend may send */
export function keepHouse({ id, method, params }: CallMessage, calls: CallTable, channels: ChannelTable): undefined {
  const { id: cancelled, channel, messages } = (params ?? {}) as Record<string, unknown>
  if (id === undefined && method === METHOD.cancel && isCount(cancelled)) calls.cancel(cancelled)
  else if (id === undefined && method === METHOD.credit && isCount(channel) && isCount(messages)) {
    beginTurn()
    channels.credit(channel, messages)
  } else if (id === undefined && method === METHOD.closeChannel && isCount(channel)) channels.close(channel)
  else throw new BusError('InvalidRequest', `${describeCommand(method)} is not one that a frontend may send`)
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
