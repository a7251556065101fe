// What has to agree before a version is released. Pure.

import { changelogSections } from './changelog.ts';
import type { Licence } from './licences.ts';

export interface ReleaseState {
  readonly version: string;
  readonly lockVersions: readonly (string | undefined)[];
  readonly chart: { readonly version: string; readonly appVersion: string };
  readonly dockerfile: string;
  readonly changelog: string;
}

/** What is wrong whatever is done with the files. */
export function versionProblems(state: ReleaseState): string[] {
  const { version, lockVersions, chart, dockerfile, changelog } = state;
  const problems: string[] = [];
  const expect = (what: string, found: string | undefined) => {
    if (found !== version) problems.push(`${what} is ${found ?? 'missing'}, and package.json has ${version}`);
  };
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) problems.push(`package.json: ${version} is not a version`);
  for (const found of lockVersions) expect('the version in package-lock.json', found);
  expect('the version of the chart', chart.version);
  expect('the appVersion of the chart', chart.appVersion);
  expect('ARG VERSION of the Dockerfile', /^ARG VERSION=(.*)$/m.exec(dockerfile)?.[1]);
  if (!changelogSections(changelog).some(({ name }) => name === version))
    problems.push(`CHANGELOG.md has no section ${version}`);
  return problems;
}

export interface Checkout {
  /** The output of `git status --porcelain`. */
  readonly changes: string;
  /** The tags of the commit. */
  readonly tags: readonly string[];
  /** `owner/name` where a workflow of GitHub runs. */
  readonly workflowRepository: string | undefined;
}

/** What is wrong with files that are published, and does not matter in a dry run. */
export function publicationProblems(
  { version, changelog }: Pick<ReleaseState, 'version' | 'changelog'>,
  slug: string,
  { changes, tags, workflowRepository }: Checkout,
): string[] {
  const problems: string[] = [];
  const sections = changelogSections(changelog);
  const unreleased = sections.find(({ name }) => name === 'Unreleased');
  if ((unreleased?.entries.length ?? 0) > 0)
    problems.push(`CHANGELOG.md has entries under Unreleased: move them to ${version}`);
  const date = sections.find(({ name }) => name === version)?.date;
  if (!/^\d{4}-\d\d-\d\d$/.test(date ?? '')) problems.push(`CHANGELOG.md: "## ${version} (YYYY-MM-DD)" has no date`);
  if (changes.trim() !== '') problems.push('there are changes that are not committed');
  if (!tags.includes(`v${version}`)) problems.push(`the commit has no tag v${version}`);
  if (workflowRepository !== undefined && workflowRepository !== slug)
    problems.push(`this is ${workflowRepository}, and package.json publishes ${slug}: change repository.url`);
  return problems;
}

/** Licences under which code may be part of a program under Apache-2.0. */
const ALLOWED = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0']);

export function licenceProblems(packages: readonly Pick<Licence, 'name' | 'version' | 'licence'>[]): string[] {
  return packages
    .filter(({ licence }) => !ALLOWED.has(licence))
    .map(({ name, version, licence }) => `${name} ${version} has the licence ${licence}, which is not in the list`);
}
