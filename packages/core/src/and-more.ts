// How the log tells of a flood: the latest of many, and their number.
export const andMore = (text: string, more: number): string => (more > 0 ? `${text}, and ${more} more` : text)
