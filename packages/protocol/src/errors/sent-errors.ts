// How this side sends errors, and how it reads them. `#sent-errors` is this file, or `sent-errors.browser.ts`.
export { fromCausedErrorObject as fromSentErrorObject, toCausedErrorObject as toSentErrorObject } from './error-data.js'
