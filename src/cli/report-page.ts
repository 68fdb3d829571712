import { escaped } from '../plots/figure.ts'

/** A name and what it is. */
export type Fact = readonly [string, string]

export interface Section {
  readonly heading: string
  readonly text: string
  /** SVG texts. */
  readonly figures: readonly string[]
}

/** What a page on a model says, from the top down. */
export interface Report {
  readonly title: string
  /** Whether it is as good as was asked for. */
  readonly within: boolean
  /** Paragraphs; the first is the answer. */
  readonly verdict: readonly string[]
  readonly facts: readonly Fact[]
  readonly sections: readonly Section[]
  /** The command that checks the certificate again. */
  readonly check?: string | undefined
}

/** One HTML file that needs nothing else, light or dark as its reader's system is, and fit to be printed. */
export function reportPage({ title, within, verdict, facts, sections, check }: Report): string {
  const [answer = '', ...more] = verdict
  const paragraphs = (texts: readonly string[]): string => texts.map((text) => `<p>${escaped(text)}</p>`).join('\n')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1f2328; --muted: #5b636d; --rule: #d9dde2; --good: #00855f; --poor: #b64a00; --box: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --ink: #e8eaed; --muted: #a3acb6; --rule: #333a42; --good: #3dcb9f; --poor: #ff9650; --box: #1c2026; } }
body { font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: var(--ink); background: var(--paper); max-width: 780px; margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 1.2rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 0.4rem; }
p { margin: 0.4rem 0 0.8rem; }
.verdict { background: var(--box); border-left: 4px solid var(--poor); border-radius: 4px; padding: 0.7rem 1.1rem; }
.verdict.within { border-color: var(--good); }
.verdict p:first-child { font-weight: 600; }
.verdict p { margin: 0.3rem 0; }
table { border-collapse: collapse; width: 100%; margin: 1.4rem 0; }
th { text-align: left; font-weight: 400; color: var(--muted); padding: 0.25rem 1.2rem 0.25rem 0; vertical-align: top; white-space: nowrap; }
td { padding: 0.25rem 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
tr { border-bottom: 1px solid var(--rule); }
figure { margin: 0.8rem -12px; }
figure svg { max-width: 100%; height: auto; display: block; }
code { background: var(--box); padding: 0.15rem 0.4rem; border-radius: 3px; font-size: 0.92em; }
@media print { figure, .verdict { break-inside: avoid; } }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<div class="verdict${within ? ' within' : ''}">
${paragraphs([answer, ...more])}
</div>
<table>
${facts.map(([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join('\n')}
</table>
${sections.map(sectionText).join('\n')}
${check === undefined ? '' : `<h2>Check it yourself</h2>\n<p><code>${escaped(check)}</code> recomputes the certificate from the table.</p>`}
</body>
</html>
`
}

function sectionText({ heading, text, figures }: Section): string {
  const pictures = figures.map((svg) => `<figure>${svg.trimEnd()}</figure>`).join('\n')
  return `<h2>${escaped(heading)}</h2>\n<p>${escaped(text)}</p>\n${pictures}`
}
