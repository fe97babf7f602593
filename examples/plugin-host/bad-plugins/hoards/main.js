// Fills memory.
import { expose } from '@sallyport/frontend'

expose({
  transform() {
    const kept = []
    for (;;) kept.push('x'.repeat(100_000).split(''))
  },
})
