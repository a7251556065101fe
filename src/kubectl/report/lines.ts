// The lines of logs and metrics that are about one migration. Pure.

import { redactObject, redactText } from './redact.ts';

export interface Subject {
  readonly namespace: string;
  readonly name: string;
}

/** Lines of the operator about the migration, and those about no migration that are no routine. */
export function logLinesOf(log: string, subject: Subject): string[] {
  return log.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const fields = parsed(line);
    if (fields !== undefined) return isKept(fields, subject) ? [JSON.stringify(redactObject(fields))] : [];
    const text = textFields(line);
    return text === undefined || isKept(text, subject) ? [redactText(line)] : [];
  });
}

/** All lines, of a pod that copies only this migration. */
export function allLogLines(log: string): string[] {
  return log.split('\n').flatMap((line) => {
    if (line.trim() === '') return [];
    const fields = parsed(line);
    return [fields === undefined ? redactText(line) : JSON.stringify(redactObject(fields))];
  });
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Of a line in the format text; undefined for what is no line of the logger, such as the stack of a crash. */
function textFields(line: string): Readonly<Record<string, unknown>> | undefined {
  const level = /^\d{4}-\d\d-\d\dT[\d:.]+Z\s+(\w+)/.exec(line)?.[1];
  if (level === undefined) return undefined;
  const field = (name: string) => new RegExp(` ${name}=("?)([^\\s"]+)\\1(?: |$)`).exec(line)?.[2];
  const [migration, namespace] = [field('migration'), field('namespace')];
  return { level, message: line, ...(migration && { migration }), ...(namespace && { namespace }) };
}

function isKept(fields: Readonly<Record<string, unknown>>, { namespace, name }: Subject): boolean {
  const { migration, level, message } = fields;
  if (migration !== undefined) return migration === name && fields['namespace'] === namespace;
  return level === 'warn' || level === 'error' || /operator started|operator stopped|leader/i.test(String(message));
}

/** The series of the migration and those of no migration, each family with its HELP and TYPE. */
export function metricLinesOf(exposition: string, { namespace, name }: Subject): string[] {
  const own = `migration="${namespace}/${name}"`;
  let comments: string[] = [];
  const kept: string[] = [];
  for (const line of exposition.split('\n')) {
    if (line.startsWith('#')) {
      // HELP and TYPE of a family follow each other.
      if (line.startsWith('# HELP')) comments = [];
      comments.push(line);
      continue;
    }
    const labels = /\bmigration="[^"]*"/.exec(line)?.[0];
    if (line.trim() === '' || (labels !== undefined && labels !== own)) continue;
    kept.push(...comments.splice(0), line);
  }
  return kept.map(redactText);
}
