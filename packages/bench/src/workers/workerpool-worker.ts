// A thread of workerpool's.
import { worker } from 'workerpool'
import * as functions from './pool-functions.js'

worker({ ...functions })
