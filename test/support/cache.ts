// The directory that caches downloaded and built test servers between runs, with a protocol for several processes that fill it at once.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The directory of the test servers: `$XDG_CACHE_HOME/prom-migrator` or `~/.cache/prom-migrator`. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'prom-migrator');
}

/** Metadata of an installation, stored with it: this avoids asking every binary for its version. */
export interface InstalledRecord {
  /** The actual version, as named by its origin: `3.5.3+ds1-6`. */
  version: string;
  /** The origin, for people: `Debian sid`, `Go module github.com/…@v0.316.0`. */
  origin: string;
  seconds: number;
}

const RECORD = 'installed.json';
const HEARTBEAT_MS = 5_000;
const STALE_MS = 30_000;

/** The record of a cached installation, or undefined. */
export async function installedRecord(key: string): Promise<InstalledRecord | undefined> {
  const file = join(cacheDirectory(), key, RECORD);
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as InstalledRecord) : undefined;
}

/**
 * Ensures that `key` exists in the cache, once for concurrent processes: `install` fills a temporary directory, which is renamed when
 * complete, so that an incomplete installation is never visible. Returns the directory.
 */
export async function installOnce(
  key: string,
  install: (directory: string) => Promise<Omit<InstalledRecord, 'seconds'>>,
): Promise<string> {
  const target = join(cacheDirectory(), key);
  if (await installedRecord(key)) return target;
  await withLock(`${target}.lock`, async () => {
    if (await installedRecord(key)) return;
    const startedMs = Date.now();
    const unfinished = `${target}.unfinished-${randomUUID()}`;
    await mkdir(unfinished, { recursive: true });
    try {
      const record = await install(unfinished);
      const seconds = Math.round((Date.now() - startedMs) / 100) / 10;
      await writeFile(join(unfinished, RECORD), `${JSON.stringify({ ...record, seconds }, undefined, 2)}\n`);
      await rm(target, { recursive: true, force: true });
      await rename(unfinished, target);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  });
  return target;
}

/**
 * Runs `action` while holding a lock file. A lock whose owner is dead, or has not touched it for half a minute, is taken over; if two
 * processes take it over at the same moment, both do the work and the later rename wins, which costs time and is harmless.
 */
export async function withLock<T>(file: string, action: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  while (!(await tryLock(file))) {
    if (await isStale(file)) await rm(file, { force: true });
    else await sleep(200);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  try {
    return await action();
  } finally {
    clearInterval(heartbeat);
    await rm(file, { force: true });
  }
}

async function tryLock(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`${hostname()} ${process.pid}`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(file)).mtimeMs > STALE_MS) return true;
    const [host, pid] = (await readFile(file, 'utf8')).split(' ');
    return host === hostname() && pid !== undefined && !isAlive(Number(pid));
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
