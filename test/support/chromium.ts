// The browser that the tests of pages use: Debian's headless Chromium, unpacked into the cache together with the libraries and one font
// that it needs. Works without root; `CHROMIUM` names another one.
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, installedRecord, installOnce } from './cache.ts';
import { hasApt, packageVersions, unpackPackages, withDependencies } from './debian-packages.ts';

export interface FoundBrowser {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

const KEY = 'chromium-headless-shell';
const PACKAGE = 'chromium-headless-shell';
const FONT = 'fonts-dejavu-core';
/** Oldest first: its programs run on newer machines too, not the reverse. */
const SUITES = ['bookworm', 'trixie'];

// What every machine has (the C library has to be the machine's own), and what draws on screens: a headless browser has none.
const NOT_NEEDED = new Set([
  'adwaita-icon-theme',
  'debconf',
  'dpkg',
  'libc6',
  'libgl1-mesa-dri',
  'libllvm15',
  'lsb-base',
  'sysvinit-utils',
  'tar',
  'x11-utils',
  'xdg-utils',
]);

/** Finds the browser, and installs it first if need be. Throws an error that says how to get one. */
export async function findChromium(): Promise<FoundBrowser> {
  const given = process.env['CHROMIUM'];
  if (given) return { path: given, env: process.env };
  if ((await installedRecord(KEY)) === undefined)
    process.stderr.write('test servers: headless Chromium: downloading, about 130 MB\n');
  try {
    const directory = await installOnce(KEY, install);
    return { path: await programIn(directory), env: environmentIn(directory) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`a headless Chromium is needed; set CHROMIUM to the path of one. What was tried: ${reason}`, {
      cause: error,
    });
  }
}

async function install(directory: string): Promise<{ version: string; origin: string }> {
  if (!hasApt()) throw new Error('this machine has no apt-get and dpkg to take it from a Debian package');
  const problems: string[] = [];
  for (const suite of SUITES) {
    try {
      const [version] = await packageVersions(suite, PACKAGE);
      if (version === undefined) throw new Error(`Debian ${suite} carries no ${PACKAGE}`);
      await unpackPackages(suite, await withDependencies(suite, [PACKAGE, FONT], NOT_NEEDED), directory);
      await programIn(directory);
      await writeFile(join(directory, 'fonts.conf'), fontConfiguration());
      return { version, origin: `Debian ${suite}` };
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(problems.join('\n'));
}

/** Only the font of the cache, so that every machine draws the same. */
function fontConfiguration(): string {
  const directory = join(cacheDirectory(), KEY);
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    '<fontconfig>',
    `  <dir>${directory}/usr/share/fonts</dir>`,
    `  <cachedir>${directory}/font-cache</cachedir>`,
    '</fontconfig>',
    '',
  ].join('\n');
}

async function programIn(directory: string): Promise<string> {
  const candidates = [
    'usr/lib/chromium/chromium-headless-shell',
    'usr/lib/chromium/headless_shell',
    `usr/bin/${PACKAGE}`,
  ];
  const found = candidates.map((path) => join(directory, path)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  const names = await readdir(join(directory, 'usr/lib/chromium')).catch(() => []);
  throw new Error(`the package ${PACKAGE} holds no program; usr/lib/chromium has ${names.join(', ') || 'nothing'}`);
}

function environmentIn(directory: string): NodeJS.ProcessEnv {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
  const libraries = ['usr/lib', 'lib'].map((path) => join(directory, path, `${machine}-linux-gnu`));
  return {
    ...process.env,
    LD_LIBRARY_PATH: [...libraries, ...['nss', 'pulseaudio'].map((name) => `${libraries[0]}/${name}`)].join(':'),
    FONTCONFIG_FILE: join(directory, 'fonts.conf'),
  };
}
