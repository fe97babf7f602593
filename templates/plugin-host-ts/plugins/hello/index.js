// A plugin. The host calls the functions that it exposes. Its manifest requests permissions for the commands that it calls.
import { expose, invoke } from '@sallyport/frontend'

expose({
  async greet({ name }) {
    await invoke('notify', { text: `greeting ${name}` })
    return `Hello, ${name}!`
  },
})
