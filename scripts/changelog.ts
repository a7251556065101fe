// Reads CHANGELOG.md: its sections and their entries.

export interface ChangelogSection {
  /** `Unreleased`, or a version. */
  readonly name: string;
  /** `2026-11-28`, or whatever else is in the brackets behind a version. */
  readonly date: string | undefined;
  readonly entries: readonly string[];
}

/** The sections, newest first. */
export function changelogSections(text: string): ChangelogSection[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      const [, name = '', date] = /^(\S+)(?: \((.*)\))?$/.exec(heading.trim()) ?? [];
      const entries = lines
        .join('\n')
        .split(/^- /m)
        .slice(1)
        .map((entry) => entry.trim().replaceAll(/\s+/g, ' '));
      return { name, date, entries };
    });
}

/** Without links and emphasis. */
export function plainText(markdown: string): string {
  return markdown
    .replaceAll(/ ?\(\[[^\]]*\]\([^)]*\)\)/g, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll('**', '');
}
