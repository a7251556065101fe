// Findings that follow from samples that were written to find out what the destination accepts.

import type { ProbeOutcome } from '../../../src/migration/preflight/observations.ts';
import type { RejectReason } from '../../../src/remote/meaning/remote-error.ts';
import { epochMs } from '../support/plan.ts';
import { type Case, planOf } from './observed.ts';

const outcome = (changes: Partial<ProbeOutcome>): ProbeOutcome => ({
  ...{ like: 'mark', timeMs: epochMs, error: undefined, isUnproven: false, isShown: true },
  ...changes,
});
const refusal = (code: string, reason: RejectReason | undefined, isOfSamples = true) =>
  outcome({
    error: { code, reason, message: `the store says ${code}`, hint: undefined, isOfSamples },
    isShown: undefined,
  });

export const PROBE_CASES: readonly Case[] = [
  { name: 'a probe that was stored', seen: { probe: [outcome({})] }, codes: ['probe-written'] },
  {
    name: 'probes that are too old',
    seen: { probe: [refusal('too-old', 'too_old'), refusal('out-of-order', 'out_of_order')] },
    codes: ['probe-too-old'],
    says: /out_of_order_time_window/,
  },
  {
    name: 'a probe that is too old, which is skipped',
    seen: { probe: [refusal('too-old', 'too_old')], plan: planOf({ rejectedSamples: 'Skip' }) },
    codes: ['probe-too-old'],
    says: /warns/,
  },
  {
    name: 'a tenant that may not write, although rejected samples are skipped',
    seen: { probe: [refusal('forbidden', undefined, false)], plan: planOf({ rejectedSamples: 'Skip' }) },
    codes: ['probe-refused'],
    says: /blocks.*forbidden/,
  },
  {
    name: 'labels that are refused',
    seen: { probe: [outcome({}), { ...refusal('invalid-labels', 'invalid_labels'), like: 'longest' }] },
    codes: ['probe-refused', 'probe-written'],
    says: /longest label of the data/,
  },
  {
    name: 'a probe that an HA tracker has dropped',
    seen: { probe: [outcome({}), outcome({ like: 'widest', isUnproven: true, isShown: false })] },
    codes: ['probe-dropped', 'probe-written'],
  },
  {
    name: 'a 202 for a sample that is there',
    seen: { probe: [outcome({ isUnproven: true })] },
    codes: ['probe-written'],
  },
  {
    name: 'a probe that is not shown',
    seen: { probe: [outcome({ isShown: false })] },
    codes: ['probe-not-shown', 'probe-written'],
  },
  { name: 'a probe that cannot be read', seen: { probe: [outcome({ isShown: undefined })] }, codes: ['probe-written'] },
];
