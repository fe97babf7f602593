// `#sent-streams` for web pages, whose script has to stay small: a constant, so that the code for streams is left out.
import type { SentStreams } from '@sallyport/protocol/internal'

export const sentStreams: SentStreams | null = null
