/** Returns Tauri's text for an argument of `fetch` that does not have its type. */
export const invalidConfig = (reason: string): string =>
  `invalid args \`clientConfig\` for command \`fetch\`: ${reason}`
