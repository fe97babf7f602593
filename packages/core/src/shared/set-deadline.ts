export { deadline as setDeadline } from '@sallyport/protocol/internal/contract'
