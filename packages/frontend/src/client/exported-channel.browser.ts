// `exported-channel.ts` for browsers. A page can load several copies of this package, and a client takes only channels of its own copy.
import { Channel as OwnChannel } from './channel.js'
import { findCurrentClient } from './current-client.js'

export const Channel = function <T>(onmessage?: (message: T) => void): OwnChannel<T> {
  return new (findCurrentClient()?.Channel ?? OwnChannel)(onmessage)
} as unknown as typeof OwnChannel
