// Made by scripts/embed-page.mjs of the files in page/.
declare module '#inspector-files' {
  export const html: string
  export const style: string
  export const script: string
}
