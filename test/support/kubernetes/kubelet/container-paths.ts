// A container finds its volumes at their mountPath. A local process cannot: its volumes are directories under the temporary directory of
// the pod. Therefore the paths in its arguments and environment are rewritten. This is the one difference that a program sees; a path that
// is built into the program would not be found.
import { join } from 'node:path';
import type { V1Container, V1VolumeMount } from '@kubernetes/client-node';

const DEFAULT_TERMINATION_MESSAGE_PATH = '/dev/termination-log';

/** The temporary directory of a pod. */
export class PodDirectory {
  readonly path: string;
  readonly volumes: string;
  readonly terminationMessage: string;
  /** The working directory and HOME of the process. */
  readonly work: string;

  constructor(path: string) {
    this.path = path;
    this.volumes = join(path, 'volumes');
    this.terminationMessage = join(path, 'termination-message');
    this.work = join(path, 'work');
  }

  mounted({ name, subPath = '' }: V1VolumeMount): string {
    return join(this.volumes, name, subPath);
  }
}

/** Replaces the paths of the container in a text such as `--config=/etc/app/config.yaml`. */
export function pathRewriter(container: V1Container, directory: PodDirectory): (text: string) => string {
  const local = new Map([
    [container.terminationMessagePath ?? DEFAULT_TERMINATION_MESSAGE_PATH, directory.terminationMessage],
    ...(container.volumeMounts ?? []).map((mount): [string, string] => [mount.mountPath, directory.mounted(mount)]),
  ]);
  // The longest first: a volume may be mounted inside another.
  const paths = [...local.keys()].sort((a, b) => b.length - a.length).map((path) => path.replace(/[.+]/g, '\\$&'));
  const pattern = new RegExp(`(?<=^|[=,:\\s])(${paths.join('|')})(?=$|[/,:\\s])`, 'g');
  return (text) => text.replace(pattern, (path) => local.get(path) ?? path);
}
