/**
 * Ends a `switch` over the kinds of a message: it fails to compile if a kind is missing. It does nothing at run time, because messages
 * of peers that are not trusted were checked before.
 */
export function assertNever(_message: never): void {}
