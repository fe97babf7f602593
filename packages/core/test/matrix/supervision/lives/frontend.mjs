// A frontend without a sandbox, which is no text.
import * as sallyport from '@sallyport/frontend'
import { live } from './life.mjs'

live(sallyport, sallyport.getData().opening)
