// The manifest that --source and --destination stand for, as the text that the engine prepares: by the same path as a file.

import { createHash } from 'node:crypto';
import type { Ends } from '../migration/ends/manifest-draft.ts';
import { Secret } from '../telemetry/secret.ts';
import { asFlags, choiceLines, type EndsContext, manifestOfEnds, noteText } from './ends-manifest.ts';
import type { readManifestFiles } from './manifest-files.ts';

const NAME = '(flags)';

export async function flagManifest(
  ends: Ends,
  context: Omit<EndsContext, 'unknown'>,
): ReturnType<typeof readManifestFiles> {
  const made = await manifestOfEnds(ends, { ...context, unknown: 'refuse' });
  if ('problems' in made) return { files: [], problems: asFlags(made.problems), hashes: [] };
  const open = made.draft.notes.filter(({ how }) => how !== 'found');
  for (const line of [...choiceLines(made.draft), ...open.map(noteText)]) context.say(line);
  const text = JSON.stringify(made.draft.manifest, undefined, 2);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { files: [{ name: NAME, text: new Secret(text) }], problems: [], hashes: [{ name: NAME, sha256 }] };
}
