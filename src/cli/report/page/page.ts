// The report as one HTML page: no script, no network, nothing outside the file. Pure.

import { formatTime } from '../../../telemetry/format.ts';
import { presentableText } from '../../../telemetry/log-text.ts';
import { coverage } from './coverage-chart.ts';
import { countsSection, subjectSection, timeSection } from './copy-sections.ts';
import { eventsSection } from './events-section.ts';
import { code, facts, Html, html, outside } from './html.ts';
import type { ReportModel } from './model.ts';
import { STYLE } from './style.ts';
import { timelineCharts } from './timeline-charts.ts';
import { type Fact, verdictOf } from './verdict.ts';
import { verificationSection } from './verification-section.ts';

const MARKS = { good: '✓', warning: '!', bad: '✕', neutral: '–' } as const;

export function renderReport(model: ReportModel): string {
  const kind = model.progress.work === 'Verify' ? 'Verification report' : 'Migration report';
  const verdict = verdictOf(model);
  const tiles: [string, Fact | undefined][] = [
    ['Outcome', verdict.outcome],
    ['Complete', verdict.complete],
    ['Verified', verdict.verified],
  ];
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="prom-migrator ${model.toolVersion}">
<link rel="icon" href="data:,">
<title>${kind}: ${model.migration}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<header>
<p class="kind">${kind}</p>
<h1>${outside(model.migration)}</h1>
<div class="verdict ${verdict.tone}" role="group" aria-label="Verdict">
<p class="sentence">${verdict.sentence}</p>
${model.error === undefined ? undefined : html`<p>${code(model.error.code)}: ${outside(presentableText(model.error.message))}</p>`}
</div>
<ul class="tiles">
${tiles.map(([name, fact]) => fact && tile(name, fact))}</ul>
</header>
<main>
${section('What', subjectSection(model))}
${section('When', timeSection(model))}
${model.progress.work !== 'Verify' ? section('Counts', countsSection(model)) : undefined}
${model.progress.work !== 'Verify' ? section('Coverage', coverage(model)) : undefined}
${section('Verification', verificationSection(model))}
${section('Speed', timelineCharts(model))}
${section('Events', eventsSection(model))}
${section('Origin of this report', origin(model))}
</main>
<footer><p>All times are UTC. Counts are exact unless they are called a bound. Secrets, and the values in query strings of URLs, are never written into a report.</p></footer>
</body>
</html>
`;
  return page.text;
}

function tile(name: string, { tone, value, detail }: Fact): Html {
  return html`<li class="${tone}"><span class="name">${name}</span><span class="value"><span aria-hidden="true">${MARKS[tone]} </span>${value}</span><span class="detail">${detail}</span></li>\n`;
}

function section(title: string, content: Html): Html {
  return html`<section>
<h2>${title}</h2>
${content}
</section>`;
}

function origin({ toolVersion, id, manifests, endedMs }: ReportModel): Html {
  return html`${facts([
    ['Written by', `prom-migrator ${toolVersion}`],
    ['Written at (UTC)', formatTime(endedMs)],
    ['Hash of what defines the copy', code(id)],
    ...manifests.map(({ name, sha256 }): [Html, Html] => [
      html`SHA-256 of ${code(name)}`,
      sha256 === undefined ? html`not computed, because the file contains a Secret` : code(sha256),
    ]),
  ])}
<p class="muted">The SHA-256 is that of the file's bytes, as <code>sha256sum</code> prints it. The hash of what defines the copy covers the source's URL and headers, selectors, relabelings, external labels and the start of the range. It is the label <code>id</code> of the progress marks in the destination.</p>`;
}
