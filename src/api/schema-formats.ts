// The formats of the CRD's schema that the API server checks.

import type { Format } from 'ajv';
import { parseTime } from './time.ts';

function between(low: number, high: number): (value: number) => boolean {
  return (value) => value >= low && value <= high;
}

export const FORMATS: Readonly<Record<string, Format>> = {
  int32: { type: 'number', validate: between(-(2 ** 31), 2 ** 31 - 1) },
  int64: { type: 'number', validate: between(-(2 ** 63), 2 ** 63) },
  'date-time': (text: string) => parseTime(text) !== undefined,
};
