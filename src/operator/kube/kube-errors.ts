// How a request to the API server can fail: with an error response, or without a response. Decisions use `status` and `reason`, never the text.

import { escapeControl, presentableText } from '../../telemetry/log-text.ts';
import type { KubeStatus } from './kube-objects.ts';

/** The API server responded with an error. The message is the server's. */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError';
  readonly code = 'KUBE_API';
  /** HTTP status; also 410 for a watch whose version is too old. */
  readonly status: number;
  /** As in a Status object: NotFound, AlreadyExists, Conflict, Expired, TooManyRequests…; empty if the response was not a Status. */
  readonly reason: string;
  /** How long the server asks clients to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(options: { status: number; reason: string; message: string; retryAfterMs?: number | undefined }) {
    super(`${options.status}${options.reason === '' ? '' : ` ${options.reason}`}: ${shown(options.message)}`);
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Why there is no complete response. `SYSTEM`: Node or OpenSSL reported it. `SILENT`: a watch received nothing for too long. */
export type KubeFailure = 'SYSTEM' | 'TIMEOUT' | 'SILENT' | 'CUT_OFF' | 'NOT_JSON' | 'CREDENTIALS';

/** No complete response: refused, reset, timed out, cut off, not JSON, or no credentials for the request. */
export class KubeConnectionError extends Error {
  override readonly name = 'KubeConnectionError';
  readonly failure: KubeFailure;
  /** For people and metrics: Node's code of a SYSTEM failure (ECONNREFUSED, …), or the failure itself. */
  readonly code: string;

  constructor(failure: KubeFailure, message: string, systemCode?: string) {
    super(shown(message));
    this.failure = failure;
    this.code = systemCode ?? failure;
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 404;
}

/** The operator lacks a right. */
export function isForbidden(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 403;
}

/** Another client was faster: a resourceVersion or uid that is no longer the object's, or an object that already exists. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 409;
}

/** The version from which a list or a watch should continue no longer exists. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubeApiError && (error.status === 410 || error.reason === 'Expired');
}

/** Milliseconds of Retry-After, or 0. At most an hour, so that an invalid header cannot stop the operator. */
export function retryAfterOf(error: unknown): number {
  return error instanceof KubeApiError ? Math.min(error.retryAfterMs ?? 0, 3_600_000) : 0;
}

/** The message in a form that may be shown. Never throws, whatever was thrown. */
export function messageOf(error: unknown): string {
  return shown(error instanceof Error ? error.message : 'unknown error');
}

/** The error in a Status, or in the response of a proxy in front of the server. `header` is Retry-After in seconds. */
export function apiError(httpStatus: number, body: string, header: string | undefined): KubeApiError {
  const status = parseStatus(body);
  const seconds =
    header !== undefined && /^\s*\d+\s*$/.test(header) ? Number(header) : status?.details?.retryAfterSeconds;
  return new KubeApiError({
    status: httpStatus,
    reason: status?.reason ?? '',
    message: status?.message ?? (body.trim().slice(0, 200) || 'a response without a body'),
    retryAfterMs: typeof seconds === 'number' && seconds >= 0 ? seconds * 1000 : undefined,
  });
}

/** The error that a watch reports among its events. */
export function watchError(object: unknown): KubeApiError {
  const status = isStatus(object) ? object : undefined;
  const seconds = status?.details?.retryAfterSeconds;
  return new KubeApiError({
    status: status?.code ?? 500,
    reason: status?.reason ?? '',
    message: status?.message ?? 'the watch ended with an error that has no reason',
    retryAfterMs: typeof seconds === 'number' ? seconds * 1000 : undefined,
  });
}

function parseStatus(body: string): KubeStatus | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isStatus(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is KubeStatus {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}

function shown(text: string): string {
  return escapeControl(presentableText(text));
}
