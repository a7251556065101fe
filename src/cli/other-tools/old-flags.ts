// The flags of other migration tools, as far as their users bring them along. Pure.

/** A flag of another tool, and what it is here. */
export interface OldFlag {
  readonly name: string;
  /** It takes no value. */
  readonly isSwitch?: true;
  /**
   * `flag`: a flag of `run` and `init`. `manifest`: a field, so that a manifest is needed. `nothing`: it is not needed, or there is nothing
   * like it.
   */
  readonly where: 'flag' | 'manifest' | 'nothing';
  /** What it is here, in Markdown. */
  readonly here: string;
}

export interface GivenFlag {
  readonly flag: OldFlag;
  /** Never to be shown as it is: it may be a password. */
  readonly value: string;
}

/** Of Go's flags and those of vmctl: one dash or two, a value after a space or an equals sign. Other words are ignored. */
export function givenFlags(argv: readonly string[], table: readonly OldFlag[]): GivenFlag[] {
  const given: GivenFlag[] = [];
  for (let index = 0; index < argv.length; index++) {
    const [, name = '', inline] = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(argv[index] ?? '') ?? [];
    const flag = table.find((known) => known.name === name);
    if (flag === undefined) continue;
    if (inline !== undefined) given.push({ flag, value: inline });
    else if (flag.isSwitch === true) given.push({ flag, value: 'true' });
    else given.push({ flag, value: argv[++index] ?? '' });
  }
  return given;
}

/** `flag` without a value that may hold a secret, for every entry of a list of names. */
export function several(names: readonly string[], rest: Omit<OldFlag, 'name'>): OldFlag[] {
  return names.map((name) => ({ name, ...rest }));
}

/** The rows of a table in the documentation. */
export function flagRows(table: readonly OldFlag[], dashes: '-' | '--'): string {
  const rows = table.map(({ name, here }) => `| \`${dashes}${name}\` | ${here.replaceAll('|', '\\|')} |`);
  return ['| flag | here |', '|---|---|', ...rows].join('\n');
}
