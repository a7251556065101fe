// Makes Chart.yaml, with what Artifact Hub shows of the chart, from package.json, CHANGELOG.md, the CRD and an example.

import { parse, parseAllDocuments, stringify } from 'yaml';
import { changelogSections, plainText } from './changelog.ts';
import type { Publication } from './publication.ts';

/** CEL validation of custom resources, with its quantity library. */
const KUBE_VERSION = '>=1.30.0-0';

export interface ChartSources {
  readonly changelog: string;
  readonly crd: string;
  /** The manifest that Artifact Hub shows. */
  readonly example: string;
}

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly { name: string; schema: { openAPIV3Schema: { description: string } } }[];
  };
}

export function chartYaml(publication: Publication, { changelog, crd, example }: ChartSources): string {
  const { version, home } = publication;
  const changes = changelogSections(changelog).find(({ name }) => name === version)?.entries ?? [];
  const chart = {
    apiVersion: 'v2',
    name: 'prom-migrator',
    description:
      'Moves Prometheus data from any remote_read source to any remote_write destination, declared as PromMigration resources.',
    type: 'application',
    version,
    appVersion: version,
    kubeVersion: KUBE_VERSION,
    home,
    icon: publication.fileUrl('charts/prom-migrator/icon.svg'),
    sources: [home],
    maintainers: [{ name: 'The prom-migrator maintainers', url: home }],
    keywords: ['prometheus', 'remote-read', 'remote-write', 'migration', 'operator'],
    annotations: annotations(publication, { changes: changes.map(plainText), crd: parse(crd) as Crd, example }),
  };
  const head = '# Made by `npm run docs` from package.json, CHANGELOG.md, crds/ and examples/: change those.\n';
  return head + stringify(chart, { lineWidth: 0 });
}

/** As https://artifacthub.io/docs/topics/annotations/helm/ describes them: every value is a text, lists as YAML. */
function annotations(
  { version, licence, home, image }: Publication,
  { changes, crd, example }: { changes: readonly string[]; crd: Crd; example: string },
): Record<string, string> {
  const list = (value: object) => stringify(value, { lineWidth: 0 });
  const { names, versions } = crd.spec;
  const resources = versions.map(({ name, schema }) => ({
    kind: names.kind,
    version: name,
    name: crd.metadata.name,
    displayName: names.kind,
    description: schema.openAPIV3Schema.description,
  }));
  return {
    'artifacthub.io/category': 'monitoring-logging',
    'artifacthub.io/license': licence,
    'artifacthub.io/operator': 'true',
    'artifacthub.io/operatorCapabilities': 'Deep Insights',
    'artifacthub.io/links': list([
      { name: 'Documentation', url: `${home}/tree/v${version}/docs` },
      { name: 'Changelog', url: `${home}/blob/v${version}/CHANGELOG.md` },
      { name: 'Report a defect', url: `${home}/issues` },
    ]),
    'artifacthub.io/images': list([{ name: 'prom-migrator', image: `${image}:${version}` }]),
    'artifacthub.io/crds': list(resources),
    'artifacthub.io/crdsExamples': list(parseAllDocuments(example).map((document) => document.toJS() as object)),
    'artifacthub.io/changes': list(changes),
  };
}

/** values.yaml with the repository of the published image. */
export function withImage(values: string, image: string): string {
  return values.replace(/^( {2}repository: ).*$/m, `$1${image}`);
}
