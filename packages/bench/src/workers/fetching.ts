// A frontend that makes requests for the host.
import { expose } from '@sallyport/frontend'
import { measureFetches } from '../loops/fetches.js'

expose({ measureFetches })
