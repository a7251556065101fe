// The text of `prom-migrator plan`: the verdict, what was found, a picture of the samples over time, and the estimate. At most 80 columns.

import {
  type Banded,
  type Estimate,
  type Finding,
  type PreflightResult,
  verdictOf,
} from '../migration/preflight/preflight-result.ts';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatTimeShort,
} from '../telemetry/format.ts';
import { escapeControl, presentableText } from '../telemetry/log-text.ts';

const WIDTH = 80;
const INDENT = '  ';
const LABEL_WIDTH = 16;
const BLOCKS = '▁▂▃▄▅▆▇█';
const NAME_WIDTH = 48;

const VERDICTS = {
  ready: 'nothing blocks this migration',
  blocked: 'this migration is blocked',
  'not-judged': 'this migration could not be judged',
} as const;

type Server = NonNullable<PreflightResult['servers'][keyof PreflightResult['servers']]>;

function serverLines(side: string, { product, version, store }: Server): string[] {
  const name = `${product ?? 'unknown product'}${version === undefined ? '' : ` ${escapeControl(version)}`}`;
  if (store === undefined) return [row(side, name)];
  const { component, labelSets, fromMs, toMs } = store;
  const times = [fromMs, toMs].map((timeMs) => formatTimeShort(timeMs ?? Number.NaN)).join(' to ');
  const sets = labelSets === 1 ? '1 label set' : `${labelSets} label sets`;
  return [row(side, `${name} ${escapeControl(component).slice(0, LABEL_WIDTH)}`), row('', `${sets}, ${times}`)];
}

export function planText(result: PreflightResult): string {
  const { migration, servers, estimate, recommended } = result;
  const parts = [
    ...wrapped(`${migration}: ${VERDICTS[verdictOf(result)]}`, ''),
    ...Object.entries(servers).flatMap(([side, server]) => serverLines(side, server)),
    ...result.unjudged.flatMap(unjudgedLines),
    ...result.findings.flatMap(findingLines),
  ];
  if (estimate !== undefined) parts.push('', ...estimateLines(estimate));
  if (recommended !== undefined) {
    const { ordering, parallelism, memoryBytes, inFlightWrites, samplesPerSecond, samplesPerWrite } = recommended;
    const rates = [
      ...(samplesPerWrite === undefined ? [] : [`samplesPerWrite ${samplesPerWrite}`]),
      ...(samplesPerSecond === undefined ? [] : [`samplesPerSecond ${samplesPerSecond}`]),
    ];
    parts.push(
      '',
      'recommended',
      row('destination', `ordering ${ordering}`),
      row('execution', `parallelism ${parallelism}`),
      row('limits', `memory ${formatBytes(memoryBytes)}, inFlightWrites ${inFlightWrites}`),
      ...(rates.length === 0 ? [] : [row('', rates.join(', '))]),
    );
  }
  return parts.join('\n');
}

function unjudgedLines({ side, code, message, hint }: PreflightResult['unjudged'][number]): string[] {
  return [
    '',
    `NOT JUDGED  ${side}: ${code}`,
    ...wrapped(message, INDENT),
    ...(hint === undefined ? [] : wrapped(`do: ${hint}`, INDENT)),
  ];
}

function findingLines({ code, grade, side, has, needs, setting, cure }: Finding): string[] {
  return [
    '',
    `${grade.toUpperCase()}  ${code}${side === undefined ? '' : ` (${side})`}`,
    ...field('has', has),
    ...field('needs', needs),
    ...(setting === undefined ? [] : field('setting', setting)),
    ...field('do', cure),
  ];
}

function field(name: string, text: string): string[] {
  const [first = '', ...rest] = wrapped(text, ' '.repeat(11));
  return [`${INDENT}${name.padEnd(9)}${first.trimStart()}`, ...rest];
}

function estimateLines(estimate: Estimate): string[] {
  const { startMs, endMs, overTime, probes, probed, limitedDurationMs, histograms, largestNames } = estimate;
  const [from, to] = [formatTimeShort(startMs), formatTimeShort(endMs)];
  const peak = Math.max(...overTime);
  const ends = `${from.slice(0, 16)}${to.slice(0, 16).padStart(Math.max(17, overTime.length - 16))}`;
  return [
    `samples over time, at most ${formatRate(peak)}`,
    `${INDENT}${sparkline(overTime)}`,
    `${INDENT}${ends}`,
    '',
    `estimate, from ${probes} windows with ${formatPercent(probed)} of the range`,
    row('series', banded(estimate.series, formatCount)),
    row('samples', banded(estimate.samples, formatCount)),
    ...(histograms === 0 ? [] : [row('of these', `${formatCount(histograms)} native histograms`)]),
    row('read', banded(estimate.bytesRead, formatBytes)),
    row('written', banded(estimate.bytesWritten, formatBytes)),
    row('windows', banded(estimate.windows, formatCount)),
    row(
      'duration',
      `${banded(estimate.durationMs, formatDuration)}, read at ${formatBytes(estimate.bytesPerSecondRead)}/s`,
    ),
    ...(limitedDurationMs === undefined ? [] : [row('at your limits', banded(limitedDurationMs, formatDuration))]),
    row('peak memory', banded(estimate.peakMemoryBytes, formatBytes)),
    ...(largestNames.length === 0 ? [] : ['', 'largest metrics', ...largestNames.map(nameLine)]),
  ];
}

function nameLine({ name, samples, series }: Estimate['largestNames'][number]): string {
  const shown = escapeControl(presentableText(name));
  const cut = shown.length > NAME_WIDTH ? `${shown.slice(0, NAME_WIDTH - 1)}…` : shown;
  return `${INDENT}${cut.padEnd(NAME_WIDTH)}${formatCount(samples).padStart(10)} in ${formatCount(series)} series`;
}

/** One character a value. Nothing is a space, little is the lowest block. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 0);
  return values
    .map((value) =>
      value <= 0 ? ' ' : BLOCKS[Math.min(BLOCKS.length - 1, Math.floor((value / most) * BLOCKS.length))],
    )
    .join('');
}

function banded({ value, low, high }: Banded, format: (value: number) => string): string {
  return low === high ? format(value) : `${format(value)} (${format(low)} to ${format(high)})`;
}

function row(name: string, text: string): string {
  return `${INDENT}${name.padEnd(LABEL_WIDTH)}${text}`;
}

/** A word that is longer than a line, such as a URL, gets a line of its own. */
function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of escapeControl(presentableText(text)).split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
