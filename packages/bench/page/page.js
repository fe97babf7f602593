// What the page does by script: the theme switch, and printing.
const root = document.documentElement
const themes = document.querySelector('.themes')

const showTheme = theme => {
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
  else delete root.dataset.theme
}

let chosen = 'auto'
try {
  // A page that was opened from a file can lack a storage.
  chosen = localStorage.getItem('sallyport-theme')
} catch {}
const option = themes.querySelector(`[value="${chosen === 'light' || chosen === 'dark' ? chosen : 'auto'}"]`)
option.checked = true
showTheme(option.value)
themes.hidden = false
themes.addEventListener('change', ({ target }) => {
  showTheme(target.value)
  try {
    localStorage.setItem('sallyport-theme', target.value)
  } catch {}
})

// On a narrow screen the contents would hide what they lead to.
if (innerWidth < 1100) document.querySelector('nav details').open = false

// Paper is white, and nobody can unfold it.
let folded = []
let before
addEventListener('beforeprint', () => {
  before = root.dataset.theme
  folded = [...document.querySelectorAll('details.more:not([open])')]
  for (const details of folded) details.open = true
  showTheme('light')
})
addEventListener('afterprint', () => {
  for (const details of folded) details.open = false
  showTheme(before)
})
