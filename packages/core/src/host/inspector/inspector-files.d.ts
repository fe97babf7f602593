// What scripts/embed-page.mjs makes of page/.
declare module '#inspector-files' {
  export const style: string
  export const script: string
}
