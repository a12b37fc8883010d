/** A part of a report: a heading and what is under it, as HTML made by the functions here. */
export interface Section {
  title: string
  /** What the section says, in one sentence. */
  lead?: string
  body: string
}

/** A number with what it means. */
export interface Figure {
  name: string
  value: string
  /** One sentence. */
  meaning: string
  verdict?: 'good' | 'fair' | 'poor'
}

/** Text made safe for HTML. */
export const escaped = (text: string) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]!)

/**
 * A report as one HTML file that needs nothing else: no server, no network, no script. Light and dark, narrow and wide, and
 * in print.
 */
export function htmlReport(report: { title: string; about: string; sections: readonly Section[] }): string {
  const { title, about, sections } = report
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><h1>${escaped(title)}</h1><p>${escaped(about)}</p></header>
${sections.map(sectionOf).join('\n')}
</main>
</body>
</html>
`
}

const sectionOf = ({ title, lead, body }: Section) =>
  `<section><h2>${escaped(title)}</h2>${lead ? `<p class="lead">${escaped(lead)}</p>` : ''}${body}</section>`

/** Things to do, most urgent first: what, why, and what is taken for granted. */
export function todoList(
  items: readonly { urgency: 'do' | 'consider' | 'fine'; text: string; evidence: string; assumes?: string }[],
): string {
  const mark = { do: 'Do', consider: 'Consider', fine: 'Fine' }
  const rows = items.map(
    ({ urgency, text, evidence, assumes }) =>
      `<li class="${urgency}"><span class="mark">${mark[urgency]}</span><div><strong>${escaped(text)}</strong><p>${escaped(evidence)}${assumes ? ` <em>Assumes: ${escaped(assumes)}</em>` : ''}</p></div></li>`,
  )
  return `<ul class="todo">${rows.join('')}</ul>`
}

/** Numbers as cards, each with the sentence that explains it. */
export function figureCards(figures: readonly Figure[]): string {
  const cards = figures.map(
    ({ name, value, meaning, verdict }) =>
      `<div class="card ${verdict ?? ''}"><dt>${escaped(name)}</dt><dd><b>${escaped(value)}</b>${verdict ? ` <i>${verdict}</i>` : ''}<p>${escaped(meaning)}</p></dd></div>`,
  )
  return `<dl class="cards">${cards.join('')}</dl>`
}

/** A table; the first column on the left, numbers on the right. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: 'td' | 'th scope="col"') =>
    row.map((cell) => `<${tag}>${escaped(cell)}</${tag.slice(0, 2)}>`).join('')
  return `<div class="wide" role="region" aria-label="Table" tabindex="0"><table><thead><tr>${cells(head, 'th scope="col"')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells(row, 'td')}</tr>`)
    .join('')}</tbody></table></div>`
}

/** Pictures with captions. @param pictures `source`: a data URI; `shows`: said before the caption to who does not see. @param shape `frames`: shown wider, as a whole; `strips`: one below the other. */
export function pictureSheet(
  pictures: readonly { source: string; caption: string; shows?: string }[],
  shape: 'squares' | 'frames' | 'strips' = 'squares',
): string {
  return `<div class="sheet ${shape}">${pictures
    .map(
      ({ source, caption, shows }) =>
        `<figure><img src="${escaped(source)}" alt="${escaped(shows ? `${shows}: ${caption}` : caption)}"><figcaption>${escaped(caption)}</figcaption></figure>`,
    )
    .join('')}</div>`
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#d4dae1;--page:#fff;--card:#f5f7f9;--src:#2f6fd0;--dst:#8a939d;--gap:#c2410c;--good:#1a7f4b;--fair:#946200;--poor:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e7ebef;--soft:#9aa5b1;--line:#39424c;--page:#14181c;--card:#1d2329;--src:#7fb0ff;--dst:#8d97a3;--gap:#ff9a62;--good:#5fd39a;--fair:#e6b450;--poor:#ff8f87}}
*{box-sizing:border-box}
body{margin:0;overflow-wrap:anywhere;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2.5rem 0 .25rem;border-top:1px solid var(--line);padding-top:1.25rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
header p,.lead,figcaption,.todo p,.card p{color:var(--soft)}
p{margin:.25rem 0 .75rem}
.todo{list-style:none;padding:0;margin:.75rem 0}
.todo li{display:flex;gap:.9rem;padding:.7rem .9rem;border-left:4px solid var(--line);background:var(--card);margin:.5rem 0;break-inside:avoid}
.todo .mark{flex:0 0 5rem;font-weight:700}
.todo li.do{border-color:var(--poor)}.todo li.do .mark{color:var(--poor)}
.todo li.consider{border-color:var(--fair)}.todo li.consider .mark{color:var(--fair)}
.todo li.fine{border-color:var(--good)}.todo li.fine .mark{color:var(--good)}
.todo strong{font-weight:600}.todo p{margin:.15rem 0 0;font-size:.9rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.75rem;margin:.75rem 0}
.card{background:var(--card);padding:.8rem .9rem;border-top:4px solid var(--line);break-inside:avoid}
.card.good{border-color:var(--good)}.card.fair{border-color:var(--fair)}.card.poor{border-color:var(--poor)}
.card dt{font-size:.9rem;color:var(--soft)}.card dd{margin:0}.card b{font-size:1.5rem;font-weight:650}
.card i{font-style:normal;font-size:.9rem;font-weight:600}.card.good i{color:var(--good)}.card.fair i{color:var(--fair)}.card.poor i{color:var(--poor)}
.card p{font-size:.9rem;margin:.2rem 0 0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:1rem}
.charts figure,.sheet figure{margin:0;break-inside:avoid}
svg{width:100%;height:auto;display:block;background:var(--card)}
svg text{fill:var(--soft);font:11px system-ui,sans-serif}svg .axis{stroke:var(--line);stroke-width:1}
svg .src{fill:var(--src);opacity:.55}svg .dst{fill:none;stroke:var(--dst);stroke-width:1.2}svg .gap{stroke:var(--gap);stroke-width:2;fill:none}
figcaption{font-size:.85rem;margin-top:.25rem}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr));gap:.6rem;margin:.75rem 0}
.sheet img{width:100%;aspect-ratio:1;object-fit:cover;display:block;background:var(--card)}
.sheet.frames{grid-template-columns:repeat(auto-fill,minmax(14rem,1fr))}.sheet.strips{grid-template-columns:1fr}.sheet.frames img,.sheet.strips img{aspect-ratio:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left;white-space:normal}
@media (max-width:30rem){.sheet.squares{grid-template-columns:repeat(4,1fr)}.todo li{flex-direction:column;gap:.1rem}.todo .mark{flex:none}main{padding:1rem .75rem 3rem}}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--card:#fff;--src:#2f6fd0;--dst:#777;--gap:#c2410c;--good:#1a7f4b;--fair:#946200;--poor:#b3261e}
body{font-size:10.5pt}main{max-width:none;padding:0}h2,.lead,section>p{break-after:avoid;break-inside:avoid}tr{break-inside:avoid}.card,.todo li{border:1px solid var(--line);border-left-width:4px;print-color-adjust:exact}.charts{grid-template-columns:1fr 1fr}.sheet.squares{grid-template-columns:repeat(6,1fr)}svg{print-color-adjust:exact}}
`
