// Answers what was not asked for.
import { expose } from '@sallyport/frontend'

expose({ transform: () => ({ toString: 'a text?' }) })
