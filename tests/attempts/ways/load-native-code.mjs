export const tries = 'loads native code by process.dlopen'
export const decides = 'Node says that the loaded library is no addon'
export const reached = ({ answer }) => answer.includes('self-register')

export default async ({ process, need, facts }) => {
  need(facts.library, 'a library of this system')
  try {
    need(process, 'process').dlopen({ exports: {} }, facts.library)
  } catch (error) {
    if (error.message.includes('self-register')) return error.message
    throw error
  }
}
