// Limits among the options of a plugin.

/** The longest delay of a timer, in milliseconds. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1

/** @throws {TypeError} unless each value is a positive integer, and one named `…Ms` is a possible delay */
export function checkLimits(plugin: string, limits: Readonly<Record<string, number>>, prefix = ''): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1 || (name.endsWith('Ms') && value > MAX_DELAY_MS))
      throw new TypeError(`${plugin}(): ${prefix}${name} must be a positive integer`)
  }
}
