// Returns an object instead of a string.
import { expose } from '@sallyport/frontend'

expose({ transform: () => ({ toString: 'a text?' }) })
