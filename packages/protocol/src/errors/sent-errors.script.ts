// `#sent-errors` for scripts in a VM of QuickJS: core sends causes to trusted code alone.
export {
  fromUncausedErrorObject as fromSentErrorObject,
  toCausedErrorObject as toSentErrorObject,
} from './error-data.js'
