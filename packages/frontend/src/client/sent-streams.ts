// The streams among the arguments of this thread's calls. `#sent-streams` is this file, or `sent-streams.browser.ts` in web pages.
import { SentStreams } from '@sallyport/protocol/internal'

export const sentStreams: SentStreams | null = new SentStreams()
