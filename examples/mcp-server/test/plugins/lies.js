// Its tools are malformed.
import { expose } from '@sallyport/frontend'

expose({ tools: () => [{ name: 1 }] })
