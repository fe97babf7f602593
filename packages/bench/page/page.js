// Scripts of the page: the theme switch, and printing.
const root = document.documentElement
const themes = document.querySelector('.themes')

const showTheme = theme => {
  root.dataset.theme = theme
  themes.value = theme
}
themes.hidden = false
try {
  showTheme(localStorage.getItem('sallyport-theme') ?? 'auto')
} catch {
  // A page that was opened from a file can lack a storage.
}
themes.addEventListener('change', () => {
  showTheme(themes.value)
  try {
    localStorage.setItem('sallyport-theme', themes.value)
  } catch {}
})

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
