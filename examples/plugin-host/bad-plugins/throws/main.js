// Fails.
import { expose } from '@sallyport/frontend'

expose({
  transform() {
    throw new Error('not today')
  },
})
