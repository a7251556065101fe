// Write requests to the fake destination, and its replies.

import type { Series } from './remote-messages.ts';

export interface Reply {
  readonly status: number;
  readonly text?: string;
  readonly headers?: Record<string, string>;
}

export interface WriteRequest {
  readonly series: readonly Series[];
  readonly samples: number;
  readonly bytes: number;
  /** Whether it belongs to the progress series or its probe. */
  readonly isMark: boolean;
}

export interface Rejection {
  readonly status: number;
  readonly text: string;
}
