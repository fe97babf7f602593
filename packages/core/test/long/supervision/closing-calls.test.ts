// Calls that a plugin makes while the bus waits for the calls in flight.
import { expect, test } from 'vitest'
import { choose } from '../../../../../scripts/testing.js'
import { start } from '../../support/start.js'

const source = `
  import { invoke } from '@sallyport/frontend'
  const print = text => process.stdout.write(text + '\\n')
  invoke('slow').then(() => print('answered'), error => print('cut off: ' + error.message))
  const timer = setInterval(() => {
    invoke('greet', { name: 'World' }).catch(error => {
      clearInterval(timer)
      print('refused: ' + error.reason + ' ' + error.message + ' ' + JSON.stringify(error.data))
    })
  }, 20)
`

test.each(choose(['permission', 'process'] as const))(
  'a call that a plugin makes while close waits is refused, and the one in flight is answered: %s',
  async sandbox => {
    let output = ''
    let answer = (): void => {}
    const slow = (): Promise<void> => new Promise(resolve => (answer = resolve))
    const bus = await start({ core: { commands: { slow, greet: () => 'Hello!' } } })
    const onStdio = (text: string): void => {
      output += text
      if (output.includes('refused')) answer()
    }
    await bus.open('plugin', { source, name: 'plugin.js' }, { sandbox, allow: '*', onStdio })
    await bus.close({ timeout: 600_000 })
    expect(output).toContain('answered\n')
    expect(output).toContain('refused: Disconnected The bus is closing {"delivered":"no"}\n')
    expect(output).not.toContain('cut off')
  },
)
