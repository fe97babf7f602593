// The page before it knows anything. All that is put in comes from here: the token, and the pictures of our own machines. What a
// bus tells is put in by the page's script, as text.
import type { Diagram } from './diagrams.js'

export const pageOf = (token: string, diagrams: readonly Diagram[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sallyport inspector</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="inspector.css?token=${token}">
<script type="module" src="inspector.js?token=${token}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the figures</a>
<header>
<div class="top">
<h1>Sallyport inspector</h1>
<div class="controls">
<button type="button" id="pause" aria-pressed="false">Pause</button>
<fieldset class="themes">
<legend class="hidden">Colours</legend>
${['Auto', 'Light', 'Dark'].map(themeOf).join('\n')}
</fieldset>
</div>
</div>
<p class="verdict" id="verdict"><span id="sign" aria-hidden="true">…</span> <span id="line" role="status">Connecting to the bus …</span></p>
<p class="soft" id="facts"></p>
<noscript><p class="verdict bad">The inspector needs JavaScript.</p></noscript>
</header>
<main id="main" tabindex="-1">
<section aria-labelledby="now"><h2 id="now">Now</h2><dl class="tiles" id="tiles"></dl></section>
<section aria-labelledby="frontends">
<h2 id="frontends">Frontends</h2>
<div class="bar"><label for="find">Find a label</label> <input id="find" type="search" maxlength="200" autocomplete="off" spellcheck="false"> <span class="soft" id="found"></span></div>
<div class="scroll" role="region" aria-labelledby="frontends" tabindex="0"><table id="traffic"></table></div>
<p class="soft">Rates are those of the last two seconds. p50 and p99: from the start of a command to its result, in core, since the frontend was opened.</p>
</section>
<section aria-labelledby="states">
<h2 id="states">States</h2>
<div class="bar"><label for="actor">Worker</label> <select id="actor"></select> <span class="soft" id="counts"></span></div>
<div class="machines">
${diagrams.map(({ id, title, svg }) => `<figure class="panel" id="machine-${id}"><h3>${title}</h3><div class="picture">${svg}</div><figcaption></figcaption></figure>`).join('\n')}
</div>
</section>
<section aria-labelledby="refusals">
<h2 id="refusals">Denied and rejected</h2>
<p class="soft">Denied: no capability allows it. Rejected: the isolation hook did not let it pass. The latest hundred <span class="since"></span>.</p>
<div class="scroll" role="region" aria-labelledby="refusals" tabindex="0"><table id="refused"></table></div>
</section>
<section aria-labelledby="troubles">
<h2 id="troubles">Faults and restarts</h2>
<p class="soft">The latest hundred <span class="since"></span>, slow calls and dropped events among them.</p>
<div class="scroll" role="region" aria-labelledby="troubles" tabindex="0"><table id="troubled"></table></div>
</section>
<section aria-labelledby="rights">
<h2 id="rights">Who may call what</h2>
<div class="bar"><label for="whose">Frontend</label> <select id="whose"></select>
<label for="which">Find a command</label> <input id="which" type="search" maxlength="200" autocomplete="off" spellcheck="false">
<button type="button" id="again">Look again</button></div>
<p class="soft" id="capabilities" role="status"></p>
<div class="scroll" role="region" aria-labelledby="rights" tabindex="0"><table id="access"></table></div>
</section>
</main>
<footer>Read-only: nothing here changes the bus, and no arguments, payloads or results are shown. The URL opens this page to whoever has it.</footer>
</body>
</html>
`

const themeOf = (name: string): string => {
  const [value, checked] = [name.toLowerCase(), name === 'Auto' ? ' checked' : '']
  return `<label><input type="radio" name="theme" value="${value}"${checked}><span>${name}</span></label>`
}
