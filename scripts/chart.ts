// The part of `npm run docs` for the Helm chart: makes Chart.yaml, the chart's copy of the CRD, the Grafana dashboard, the image in
// values.yaml and the table of values in the chart's README. test/chart/generated.test.ts fails if one of them is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMap, isScalar, type Pair, parseDocument, stringify, type YAMLMap } from 'yaml';
import { dashboard } from './chart-dashboard.ts';
import { chartYaml, withImage } from './chart-metadata.ts';
import { readPublication } from './publication.ts';

const root = resolve(import.meta.dirname, '..');
const chart = join(root, 'charts/prom-migrator');
const TABLE_BEGIN = '<!-- values: made from values.yaml by `npm run docs` -->';
const TABLE_END = '<!-- end of values -->';

export const crdPath = join(root, 'crds/prommigrations.prom-migrator.io.yaml');
export const crdTemplatePath = join(chart, 'templates/crd-prommigrations.yaml');
export const dashboardPath = join(chart, 'files/grafana-dashboard.json');
export const readmePath = join(chart, 'README.md');
export const valuesPath = join(chart, 'values.yaml');
export const chartPath = join(chart, 'Chart.yaml');

/** Chart.yaml as it has to be. */
export function currentChartYaml(): string {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  return chartYaml(readPublication(), {
    changelog: read('CHANGELOG.md'),
    crd: readFileSync(crdPath, 'utf8'),
    example: read('examples/prometheus-to-victoriametrics.yaml'),
  });
}

/** The CRD as a template: its text from `spec:` on unchanged, with the chart's labels and annotations before it. */
export function crdTemplate(crd: string): string {
  const spec = crd.slice(crd.indexOf('\nspec:\n') + 1);
  const name = /^ {2}name: (\S+)$/m.exec(crd)?.[1];
  if (name === undefined || spec.length === crd.length) throw new Error(`${crdPath} has no name or no spec`);
  return `{{- /* Made from crds/ by \`npm run docs\`: change that one. */}}
{{- if .Values.crds.enabled }}
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${name}
  labels:
    {{- include "prom-migrator.labels" . | nindent 4 }}
  {{- $annotations := deepCopy .Values.crds.annotations }}
  {{- if .Values.crds.keep }}
  {{- $_ := set $annotations "helm.sh/resource-policy" "keep" }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
${spec.replaceAll(/\{\{|\}\}/g, (braces) => `{{ "${braces}" }}`)}{{- end }}
`;
}

export interface ChartValue {
  /** `image.repository`. */
  readonly path: string;
  readonly description: string;
  readonly default: unknown;
}

/**
 * Every value of values.yaml that a comment starting with `-- ` describes: a map with such a comment is one value.
 * @throws Error for a value without a description
 */
export function chartValues(text: string): ChartValue[] {
  const document = parseDocument(text);
  if (!isMap(document.contents)) throw new Error('values.yaml is no map');
  return valuesBelow(document.contents, '', document.commentBefore ?? '');
}

function valuesBelow(map: YAMLMap, prefix: string, firstComment: string): ChartValue[] {
  return map.items.flatMap((pair: Pair, index) => {
    if (!isScalar(pair.key)) throw new Error(`a key below ${prefix} is no text`);
    const path = `${prefix}${String(pair.key.value)}`;
    // The parser assigns a comment before a map's first key to the map.
    const comment = pair.key.commentBefore ?? (index === 0 ? firstComment : '');
    const description = /^ ?-- ([\s\S]*)/.exec(comment)?.[1]?.replaceAll(/\n\s*/g, ' ');
    const { value } = pair;
    if (description !== undefined) {
      const plain: unknown = isScalar(value) || isMap(value) ? value.toJSON() : toPlain(value);
      return [{ path, description, default: plain }];
    }
    if (!isMap(value)) throw new Error(`values.yaml says nothing about ${path}`);
    return valuesBelow(value, `${path}.`, value.commentBefore ?? '');
  });
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function')
    return value.toJSON();
  return value ?? null;
}

/** The README with its regenerated table. */
export function chartReadme(readme: string, values: readonly ChartValue[]): string {
  const begin = readme.indexOf(TABLE_BEGIN);
  const end = readme.indexOf(TABLE_END);
  if (begin < 0 || end < begin) throw new Error(`${readmePath} has no place for the table of values`);
  const rows = values.map(({ path, description, default: value }) => {
    const shown = stringify(value, {
      collectionStyle: 'flow',
      lineWidth: 0,
      singleQuote: true,
      flowCollectionPadding: false,
    }).trim();
    return `| \`${path}\` | \`${shown.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')} |\n`;
  });
  const table = `${TABLE_BEGIN}\n\n| value | default | meaning |\n|---|---|---|\n${rows.join('')}\n`;
  return readme.slice(0, begin) + table + readme.slice(end);
}

/** JSON in Biome's format: lists on one line when they fit into 120 columns. */
export function formattedJson(value: unknown, indent = '', before = 0): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const flat = JSON.stringify(value).replaceAll('","', '", "');
    const isFlat = value.every((item) => typeof item !== 'object' || item === null);
    if (value.length === 0 || (isFlat && indent.length + before + flat.length < 120)) return flat;
    return `[\n${value.map((item) => inner + formattedJson(item, inner)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `;
    return inner + name + formattedJson(item, inner, name.length);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

if (import.meta.main) {
  writeFileSync(crdTemplatePath, crdTemplate(readFileSync(crdPath, 'utf8')));
  writeFileSync(chartPath, currentChartYaml());
  writeFileSync(valuesPath, withImage(readFileSync(valuesPath, 'utf8'), readPublication().image));
  writeFileSync(dashboardPath, `${formattedJson(dashboard())}\n`);
  writeFileSync(
    readmePath,
    chartReadme(readFileSync(readmePath, 'utf8'), chartValues(readFileSync(valuesPath, 'utf8'))),
  );
}
