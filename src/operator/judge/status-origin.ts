// Who wrote a status. After a restart, only what this operator's own field manager wrote may decide whether a migration has ended and when it
// started. Anything that other managers wrote is read again from the destination, or observed again. Pure.

import type { PromMigrationStatus } from '../../api/prom-migration-status.ts';
import type { PromMigration } from '../../api/prom-migration.ts';

/** The field manager of every status that this operator writes. */
export const STATUS_MANAGER = 'prom-migrator';

/** Whether another field manager owns some of the status: `kubectl edit --subresource=status` and the like. */
export function isEditedByOthers(resource: PromMigration): boolean {
  const writers = resource.metadata.managedFields ?? [];
  return writers.some(({ subresource, manager }) => subresource === 'status' && manager !== STATUS_MANAGER);
}

/** The status, unless another manager has edited it. The next status that the operator writes takes over the edited fields. */
export function trustedStatus(resource: PromMigration): PromMigrationStatus | undefined {
  return isEditedByOthers(resource) ? undefined : resource.status;
}
