// Calls a command that it was not granted, as fast as it can.
import { expose, invoke } from '@sallyport/frontend'

expose({
  async transform() {
    for (;;) await invoke('notify', { text: 'me again' }).catch(() => {})
  },
})
