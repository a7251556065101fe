// Extracts programs from Debian packages without changing the system: a private apt configuration with its own package lists, one per
// suite, `apt-get download` and `dpkg -x`. Works without root.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, withLock } from './cache.ts';
import { run } from './child-output.ts';

/** An archive that the machine already uses, and its trusted keyring. */
interface Archive {
  uri: string;
  signedBy?: string;
}

const LISTS_FRESH_MS = 12 * 3_600_000;

/** Whether this machine has apt and dpkg. */
export function hasApt(): boolean {
  return ['apt-get', 'apt-cache', 'dpkg'].every((program) => existsSync(join('/usr/bin', program)));
}

/**
 * The versions of `packageName` in `suite`, newest first; empty when there is none. Throws when the machine's archive does not have the
 * suite (Ubuntu's does not, nor does Debian's after a release has been archived).
 */
export async function packageVersions(suite: string, packageName: string): Promise<string[]> {
  const options = await freshLists(suite);
  const table = await run('apt-cache', [...options, 'madison', packageName]);
  const rows = table.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  return rows.filter((cells) => cells.length === 3 && cells[2]?.endsWith(' Packages')).map((cells) => cells[1] ?? '');
}

/** Unpacks this version of the package into `directory`. */
export async function unpackPackage(
  suite: string,
  packageName: string,
  version: string,
  directory: string,
): Promise<void> {
  await unpackPackages(suite, [`${packageName}=${version}`], directory);
}

/** Unpacks packages, given as `name` or `name=version`. One call of apt for all of them: each call reads the lists again. */
export async function unpackPackages(suite: string, wanted: readonly string[], directory: string): Promise<void> {
  const options = await freshLists(suite);
  await run('apt-get', [...options, '-q', 'download', ...wanted], { cwd: directory });
  for (const file of (await readdir(directory)).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg', ['-x', join(directory, file), directory]);
    await rm(join(directory, file));
  }
}

/** The packages and all that they need, without those in `except` and what only those need. */
export async function withDependencies(
  suite: string,
  packageNames: readonly string[],
  except: ReadonlySet<string>,
): Promise<string[]> {
  const options = await freshLists(suite);
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const all = new Set(packageNames);
  for (let level = [...all]; level.length > 0; ) {
    const next = firstAlternatives(await run('apt-cache', [...options, 'depends', ...only, ...level]));
    level = next.filter((name) => !all.has(name) && !except.has(name));
    for (const name of level) all.add(name);
  }
  return [...all];
}

/** The dependencies in the output of `apt-cache depends`: of alternatives (`|Depends`) the first, and no virtual packages (`<…>`). */
export function firstAlternatives(text: string): string[] {
  const names = new Set<string>();
  let isLater = false;
  for (const line of text.split('\n')) {
    const [, bar, name] = /^ ( |\|)(?:Pre)?Depends: (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (!isLater && !name.startsWith('<')) names.add(name);
    isLater = bar === '|';
  }
  return [...names];
}

const refreshed = new Map<string, Promise<string[]>>();

/** apt's options for one suite, with lists updated at most twice a day. */
function freshLists(suite: string): Promise<string[]> {
  let options = refreshed.get(suite);
  if (!options) {
    options = refreshLists(suite);
    refreshed.set(suite, options);
  }
  return options;
}

async function refreshLists(suite: string): Promise<string[]> {
  const directory = join(cacheDirectory(), 'apt', suite);
  const sources = join(directory, 'sources.list');
  const done = join(directory, 'refreshed');
  const options = Object.entries({
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(directory, 'lists'),
    'Dir::State::Status': join(directory, 'status'),
    'Dir::Cache': join(directory, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::GzipIndexes': 'true',
    // The last Release file of an archived suite has expired, and the clock of a machine may be slow.
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Retries': '3',
    // The cache is in a home directory, which apt's own download user cannot access.
    'APT::Sandbox::User': 'root',
  }).flatMap(([name, value]) => ['-o', `${name}=${value}`]);

  await withLock(join(cacheDirectory(), 'apt', `${suite}.lock`), async () => {
    if (existsSync(done) && Date.now() - (await stat(done)).mtimeMs < LISTS_FRESH_MS) return;
    await mkdir(join(directory, 'lists', 'partial'), { recursive: true });
    await mkdir(join(directory, 'cache', 'archives', 'partial'), { recursive: true });
    await writeFile(join(directory, 'status'), '');
    const problems: string[] = [];
    for (const archive of machineArchives()) {
      const attributes = ['target=Packages', ...(archive.signedBy ? [`signed-by=${archive.signedBy}`] : [])];
      await writeFile(sources, `deb [${attributes.join(' ')}] ${archive.uri} ${suite} main\n`);
      try {
        await run('apt-get', [...options, '-q', '-o', 'APT::Update::Error-Mode=any', 'update']);
        await writeFile(done, '');
        return;
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new Error(
      problems.length > 0
        ? `none of this machine's package archives has the suite ${suite}:\n${problems.join('\n')}`
        : 'this machine has no package archive configured (/etc/apt/sources.list, /etc/apt/sources.list.d)',
    );
  });
  return options;
}

/** The archives in the machine's own sources, the distribution's first; those for security updates have too few packages. */
export function machineArchives(): Archive[] {
  const parts = '/etc/apt/sources.list.d';
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  const found: Archive[] = [];
  for (const file of ['/etc/apt/sources.list', ...names]) {
    if (!existsSync(file)) continue;
    if (file.endsWith('.sources')) found.push(...parseDeb822Sources(readFileSync(file, 'utf8')));
    else if (file.endsWith('.list')) found.push(...parseOneLineSources(readFileSync(file, 'utf8')));
  }
  const unique = new Map(found.filter(({ uri }) => !/security/.test(uri)).map((archive) => [archive.uri, archive]));
  return [...unique.values()].sort((a, b) => Number(/debian/.test(b.uri)) - Number(/debian/.test(a.uri)));
}

/** The archives of a deb822 `.sources` file, as sources.list(5) describes it. */
export function parseDeb822Sources(text: string): Archive[] {
  const archives: Archive[] = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = new Map<string, string>();
    let name = '';
    for (const line of stanza.split('\n')) {
      if (line.startsWith('#')) continue;
      const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (field) name = field[1]?.toLowerCase() ?? '';
      const value = field ? (field[2] ?? '') : line;
      fields.set(name, `${fields.get(name) ?? ''} ${value}`.trim());
    }
    const words = (key: string) => (fields.get(key) ?? '').split(/\s+/).filter(Boolean);
    if (!words('types').includes('deb') || !words('components').includes('main')) continue;
    if (/^(no|false|0)$/i.test(fields.get('enabled') ?? 'yes')) continue;
    const [signedBy] = words('signed-by');
    for (const uri of words('uris')) archives.push(signedBy?.startsWith('/') ? { uri, signedBy } : { uri });
  }
  return archives;
}

/** The archives of a one-line-style `.list` file, as sources.list(5) describes it. */
export function parseOneLineSources(text: string): Archive[] {
  const archives: Archive[] = [];
  for (const line of text.split('\n')) {
    const entry = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+\S+\s+(.*)$/.exec(line.trim());
    if (!entry?.[2] || !entry[3]?.split(/\s+/).includes('main')) continue;
    const signedBy = /(?:^|\s)signed-by=(\/\S+)/i.exec(entry[1] ?? '')?.[1];
    archives.push(signedBy ? { uri: entry[2], signedBy } : { uri: entry[2] });
  }
  return archives;
}
