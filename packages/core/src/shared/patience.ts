export { patience, type Peer } from '@sallyport/protocol/internal/contract'
