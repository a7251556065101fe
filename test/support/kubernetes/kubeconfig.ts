// Writes kubeconfig files for the tests' clusters.
import { writeFile } from 'node:fs/promises';

export interface KubeconfigContents {
  url: string;
  caFile: string;
  user: string;
  token: string;
  /** `default` by default. */
  namespace?: string;
}

/** Writes the file with one context, named `test`; returns its path. */
export async function writeKubeconfig(path: string, contents: KubeconfigContents): Promise<string> {
  const { url, caFile, user, token, namespace = 'default' } = contents;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user, namespace } }],
    'current-context': 'test',
  };
  // JSON is valid YAML.
  await writeFile(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  return path;
}
