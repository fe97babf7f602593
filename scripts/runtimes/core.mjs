import { defineCore } from '@sallyport/core'

export default defineCore({ commands: { greet: ({ name }) => `Hello, ${name}!` } })
