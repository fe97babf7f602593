// A plugin: the host calls what it exposes; what it calls itself, its manifest asks for.
import { expose, invoke } from '@sallyport/frontend'

expose({
  async greet({ name }) {
    await invoke('notify', { text: `greeting ${name}` })
    return `Hello, ${name}!`
  },
})
