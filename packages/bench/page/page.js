// On a narrow screen the contents would hide what they lead to.
if (innerWidth < 1100) document.querySelector('nav details').open = false

// Paper cannot be unfolded.
const folded = [...document.querySelectorAll('details.more:not([open])')]
const setOpen = open => folded.forEach(details => (details.open = open))
addEventListener('beforeprint', () => setOpen(true))
addEventListener('afterprint', () => setOpen(false))
