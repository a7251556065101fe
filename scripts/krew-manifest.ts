// pmig.yaml: the manifest with which krew installs `kubectl pmig`. Its archive is the npm package, which needs Node on the machine. Pure.

import { stringify } from 'yaml';
import type { Publication } from './publication.ts';

type Published = Pick<Publication, 'slug' | 'home' | 'version' | 'node'>;

/** @param sha256 of the npm package, in hexadecimal digits */
export function krewManifest({ slug, home, version, node }: Published, sha256: string): string {
  return stringify({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'pmig' },
    spec: {
      version: `v${version}`,
      homepage: `${home}/blob/v${version}/docs/guides/kubectl-pmig.md`,
      shortDescription: 'Show and control Prometheus data migrations',
      description:
        'Shows where the PromMigrations of prom-migrator are, how fast they are, what they wait for and what to do about it. ' +
        'Watches, suspends and resumes them, and collects a redacted report for a bug report.\n',
      caveats: `This plugin is a program for Node.js, which is not in it: node ${node} has to be in PATH.\n`,
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['darwin', 'linux'] }] },
          uri: `https://github.com/${slug}/releases/download/v${version}/prom-migrator-${version}.tgz`,
          sha256,
          // npm puts everything into a folder of this name.
          files: [{ from: 'package/*', to: '.' }],
          bin: 'bin/kubectl-pmig.mjs',
        },
      ],
    },
  });
}
