// Scripts of the page: the theme switch, and printing.
const root = document.documentElement
const themes = document.querySelector('.themes')

themes.hidden = false
themes.addEventListener('change', () => (root.dataset.theme = themes.value))

// On a narrow screen the contents would hide what they lead to.
if (innerWidth < 1100) document.querySelector('nav details').open = false

// Paper is white, and cannot be unfolded.
const folded = [...document.querySelectorAll('details.more:not([open])')]
const setPrinting = printing => {
  for (const details of folded) details.open = printing
  root.dataset.theme = printing ? 'light' : themes.value
}
addEventListener('beforeprint', () => setPrinting(true))
addEventListener('afterprint', () => setPrinting(false))
