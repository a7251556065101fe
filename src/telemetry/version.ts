// The version of this package from package.json, for `--version`, the build metric and the User-Agent.

import { readFileSync } from 'node:fs';

function readVersion(): string {
  // src/telemetry/ and dist/telemetry/ are at the same depth.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  return 'unknown';
}

export const VERSION: string = readVersion();
