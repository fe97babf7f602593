/** A registered symbol, under which a thread or a page has its client: it is found even by another copy of this package. */
export const CLIENT: unique symbol = Symbol.for('@sallyport/frontend:client')
