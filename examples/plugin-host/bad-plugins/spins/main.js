// Never answers, and never lets its thread go.
import { expose } from '@sallyport/frontend'

expose({
  transform() {
    for (;;);
  },
})
