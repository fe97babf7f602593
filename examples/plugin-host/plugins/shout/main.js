// Needs nothing but its own code.
import { expose } from '@sallyport/frontend'

expose({ transform: ({ text }) => text.toUpperCase() })
