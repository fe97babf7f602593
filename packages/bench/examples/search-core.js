import { defineCore } from '@sallyport/core'

const words = ['port', 'ring', 'string', 'frame', 'record', 'spring']

export const search = ({ text }) => words.filter(word => word.includes(text))

export default defineCore({ commands: { search } })
