// install.yaml and crd.yaml: what helm renders of the chart, for `kubectl apply` without helm. Pure.

export const NAMESPACE = 'prom-migrator-system';

/** The arguments of `helm template`, before the chart. helm's own annotation on the CRD means nothing to kubectl. */
export const TEMPLATE_ARGS = [
  ...['template', 'prom-migrator', '--namespace', NAMESPACE, '--skip-tests', '--set', 'crds.keep=false'],
];

/** The pods of the operator need no more than the strictest standard allows. */
const NAMESPACE_OBJECT = `apiVersion: v1
kind: Namespace
metadata:
  name: ${NAMESPACE}
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

interface Manifests {
  readonly install: string;
  readonly crd: string;
}

/** @throws Error if something of helm is left, or the CustomResourceDefinition is missing */
export function manifestsOf(rendered: string, version: string): Manifests {
  const documents = rendered
    .split(/^---$/m)
    .map(withoutHelm)
    .filter((text) => text !== '');
  const crd = documents.find((text) => /^kind: CustomResourceDefinition$/m.test(text));
  if (crd === undefined) throw new Error('the chart rendered no CustomResourceDefinition');
  const others = documents.filter((text) => text !== crd);
  const head = (file: string, what: string) =>
    `# prom-migrator ${version}: ${what}.\n# Larger than the annotation of a client-side apply: kubectl apply --server-side -f ${file}\n`;
  const install = [NAMESPACE_OBJECT, crd, ...others].join('---\n');
  if (/helm/i.test(others.join('\n'))) throw new Error('install.yaml names helm');
  return {
    install: `${head('install.yaml', `the operator in the namespace ${NAMESPACE}, its roles and its CustomResourceDefinition`)}${install}`,
    crd: `${head('crd.yaml', 'the CustomResourceDefinition')}${crd}`,
  };
}

/** Without comments at the beginning, and without the labels that say that helm manages the object. */
function withoutHelm(document: string): string {
  const lines = document.trim().split('\n');
  const kept = lines.filter(
    (line) =>
      !/^# Source: /.test(line) && !/^ +(?:helm\.sh\/chart: |app\.kubernetes\.io\/managed-by: Helm$)/.test(line),
  );
  return kept.length === 0 || kept.join('') === '' ? '' : `${kept.join('\n')}\n`;
}
