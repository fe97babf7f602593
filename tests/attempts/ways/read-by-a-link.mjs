export const tries = 'reads that file by a link in its own directory'
export const decides = 'the secret of the file is in its answer'
export const reached = ({ answer, secret }) => answer.includes(secret)

export default async ({ load, facts }) => {
  const fs = await load('fs')
  const ways = [
    () => fs.readFileSync(`${facts.home}/link`, 'utf8'),
    () => fs.readFileSync(`${facts.home}/linked-directory/secret.json`, 'utf8'),
    () => fs.createReadStream(`${facts.home}/link`).toArray(),
    () => fs.readFileSync(fs.readlinkSync(`${facts.home}/link`), 'utf8'),
  ]
  const errors = []
  for (const way of ways) {
    try {
      return String(await way())
    } catch (error) {
      errors.push(error.message)
    }
  }
  throw new Error(errors.join())
}
