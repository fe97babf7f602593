// Never answers: blocks its thread.
import { expose } from '@sallyport/frontend'

expose({
  transform() {
    for (;;);
  },
})
