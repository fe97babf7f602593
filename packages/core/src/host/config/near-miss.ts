// Names in a tauri.conf.json that are no business of a bus are passed over. One that is nearly a name it reads is not: a
// typing error there would leave a program without its capabilities, or without its isolation.
import { BusError } from '@sallyport/protocol'
import { didYouMean } from '../../guess.js'

/** What is read, by place. */
const READ: Readonly<Record<string, readonly string[]>> = {
  '': ['productName', 'product-name', 'version', 'identifier', 'app', 'plugins'],
  app: ['security'],
  'app.security': ['pattern', 'capabilities'],
}

/** @throws BusError `InvalidParams`, also for a configuration of Tauri's version 1, in which nothing would be found */
export function checkNearMisses(from: string, config: unknown): void {
  for (const name of ['tauri', 'package']) {
    if (!Object.hasOwn(asObject(config), name)) continue
    throw new BusError(
      'InvalidParams',
      `${from}: ${JSON.stringify(name)} is of Tauri 1, and would be passed over: \`tauri migrate\` writes it for Tauri 2`,
    )
  }
  for (const [place, names] of Object.entries(READ)) {
    const steps = place === '' ? [] : place.split('.')
    const here = steps.reduce<unknown>((value, step) => asObject(value)[step], config)
    for (const given of Object.keys(asObject(here))) {
      if (names.includes(given)) continue
      const hint = didYouMean(given, names)
      if (hint === '') continue
      throw new BusError(
        'InvalidParams',
        `${from}: unknown option ${JSON.stringify([...steps, given].join('.'))}${hint}`,
      )
    }
  }
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
