// The result of a check of a migration.

import type { Reason } from './conditions.ts';

/** Whether the manifest can be run, according to validation and the Secrets; of one generation. */
export type Check =
  | { readonly ok: true; readonly id: string; readonly noResumePoint: boolean }
  | {
      readonly ok: false;
      readonly reason: Extract<
        Reason<'Accepted'>,
        | 'InvalidSpec'
        | 'SecretNotFound'
        | 'SecretNotReadable'
        | 'SecretUnusable'
        | 'JobsDisabled'
        | 'AmbientCredentialsDisabled'
      >;
      readonly message: string;
      /** On the monotonic clock. */
      readonly retryAtMs: number;
    };
