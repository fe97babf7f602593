// Calls as fast as it can what it was not granted.
import { expose, invoke } from '@sallyport/frontend'

expose({
  async transform() {
    for (;;) await invoke('notify', { text: 'me again' }).catch(() => {})
  },
})
