// The frontend whose call is traced. The call has a tick of its own: an inspector evaluates within the one that it interrupts.
import { setTimeout as sleep } from 'node:timers/promises'
import { invoke } from '@sallyport/frontend'

globalThis.callGreet = async () => {
  await sleep(0)
  return invoke('greet', { name: 'World' })
}
