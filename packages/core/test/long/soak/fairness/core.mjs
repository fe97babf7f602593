// A command that takes 10 µs of core, which two frontends share.
import { defineCore } from '@sallyport/core'

const work = () => {
  for (const end = performance.now() + 0.01; performance.now() < end;);
}
export default defineCore({ commands: { work } })
