import { defineCore } from '@sallyport/core'

/** @type {(args: { name: string }) => string} */
const greet = ({ name }) => `Hello, ${name}!`
export default defineCore({ commands: { greet } })
