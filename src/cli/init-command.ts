// `prom-migrator init`: writes a manifest for two servers, with comments that say what was found and what was guessed.

import { writeFile } from 'node:fs/promises';
import { loadManifests } from '../api/manifest.ts';
import { formatProblem, type Problem } from '../api/problem.ts';
import type { Note } from '../migration/ends/end-look.ts';
import type { ManifestDraft } from '../migration/ends/manifest-draft.ts';
import { escapeControl, presentableText } from '../telemetry/log-text.ts';
import { Secret } from '../telemetry/secret.ts';
import { VERSION } from '../telemetry/version.ts';
import { EndError } from './end-error.ts';
import { readEnds } from './end-flags.ts';
import { choiceLines, manifestOfEnds, noteText } from './ends-manifest.ts';
import { EXIT, type ExitStatus } from './exit-codes.ts';
import { type FieldComment, manifestText } from './init/manifest-text.ts';
import { INIT_COMMAND } from './init-flags.ts';
import type { CommandIo } from './io.ts';
import { BAD_USAGE } from './job.ts';
import { parseArguments } from './parse-arguments.ts';
import { UsageError } from './usage-error.ts';

/** How long a server that does not respond is asked again: a user is waiting. */
const WAIT_MS = 5_000;
/** Of the repository in package.json, which a test compares. */
const REPOSITORY = 'prom-migrator/prom-migrator';

/** @throws UsageError, EndError */
export async function initCommand(argv: readonly string[], io: CommandIo): Promise<ExitStatus> {
  const flags = parseArguments(INIT_COMMAND, argv);
  const { name: command } = INIT_COMMAND;
  const ends = readEnds(flags, command);
  if (ends === undefined) throw new UsageError('--source URL and --destination URL are missing', command);
  const file = flags.value('output');
  if (file === undefined && flags.has('force')) throw new UsageError('--force needs --output FILE', command);
  const { clock, random, stdout, stderr } = io;
  const unknown = flags.has('offline') ? 'offline' : 'guess';
  const say = (line: string) => stderr.write(`${escapeControl(line)}\n`);
  const made = await manifestOfEnds(ends, { clock, random, waitMs: WAIT_MS, command, unknown, say });
  if ('problems' in made) return refused(stderr, made.problems);
  const text = manifestText(made.draft.manifest, commentsOf(made.draft.notes), headerOf(made.draft));
  const checked = loadManifests([{ name: '(manifest)', text: new Secret(text) }], undefined, clock.now());
  if ('problems' in checked) return refused(stderr, checked.problems);
  for (const line of [...choiceLines(made.draft), ...made.draft.notes.filter(isNews).map(noteText)]) say(line);
  if (file === undefined) stdout.write(text);
  else await writeNew(file, text, flags.has('force'));
  return EXIT.done;
}

function refused(stderr: CommandIo['stderr'], problems: readonly Problem[]): ExitStatus {
  for (const problem of problems) stderr.write(`${escapeControl(presentableText(formatProblem(problem)))}\n`);
  return EXIT.usage;
}

/** What each end is, is in the lines before. */
function isNews({ path, how }: Note): boolean {
  return path.length > 1 || how === 'hint';
}

function commentsOf(notes: readonly Note[]): FieldComment[] {
  return notes.map(({ path, how, text }) => ({ path, text: how === 'hint' ? text : `${how}: ${text}` }));
}

function headerOf({ manifest }: ManifestDraft): string[] {
  const { name } = manifest['metadata'] as { name: string };
  return [
    `yaml-language-server: $schema=https://raw.githubusercontent.com/${REPOSITORY}/v${VERSION}/schema/prommigration-v1alpha1.json`,
    `Written by prom-migrator init. Look at what was guessed, then check it against both servers, and run it:`,
    `  prom-migrator plan -f FILE`,
    `  prom-migrator run -f FILE`,
    `The name (${name}) is part of the marks by which a run resumes: changing it begins again from the start.`,
  ];
}

async function writeNew(file: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EndError(
      code === 'EEXIST'
        ? `--output ${JSON.stringify(file)} exists: choose another file, or use --force to overwrite it`
        : `--output ${JSON.stringify(file)} cannot be written: ${reason}`,
      { code: BAD_USAGE },
    );
  }
}
