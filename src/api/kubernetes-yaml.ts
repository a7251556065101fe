// YAML as kubectl and the API server read it, so that a file means the same to `run`. For words without quotes they follow YAML 1.1 (`010`
// is 8, `1_000` is a number, `yes` and `on` are true), plus YAML 1.2's `0o17`, minus times, dates and sexagesimal numbers.

import type { CollectionTag, ScalarTag, Tags } from 'yaml';

const WITHOUT = new Set(['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`));

function isTaken(tag: Tags[number]): boolean {
  if (typeof tag === 'string') return true;
  const { format, tag: name }: (CollectionTag | ScalarTag) & { format?: string } = tag;
  return format !== 'TIME' && !WITHOUT.has(name);
}

export const KUBERNETES_YAML = {
  schema: 'yaml-1.1',
  customTags: (tags: Tags): Tags => [...tags.filter(isTaken), 'intOct'],
} as const;
