// `#sent-errors` for browsers: a page sends and gets no causes.
export { fromErrorObject as fromSentErrorObject, toErrorObject as toSentErrorObject } from './bus-error.js'
