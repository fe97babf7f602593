// In development, error texts help more: they name the nearest command, and the line that a capability lacks.

/** Everywhere but under `NODE_ENV=production`. */
export const isDevelopment: boolean = process.env['NODE_ENV'] !== 'production'
