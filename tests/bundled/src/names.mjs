// Imported by the core module and by the frontend: bundlers make a file of it that both share, or copies.
export const WORLD = 'World'
export const hello = name => `Hello, ${name}!`
