// What the pod of `helm test` runs: the operator answers that it is ready, and the service account may list PromMigrations in every
// namespace that is watched. Exits with 1 and a sentence otherwise. WATCH_NAMESPACES: names with commas, empty for all.
import { readFile } from 'node:fs/promises';

const {
  OPERATOR_URL,
  WATCH_NAMESPACES,
  KUBERNETES_SERVICE_HOST: host,
  KUBERNETES_SERVICE_PORT: port,
  API_URL = `https://${host?.includes(':') ? `[${host}]` : host}:${port}`,
  TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token',
  RETRY_SECONDS = '60',
} = process.env;

async function answer(url, headers = {}) {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    return { status: 0, text: error.cause?.message ?? error.message };
  }
}

// Fresh pods need a moment until the Service sends to them.
const deadline = Date.now() + Number(RETRY_SECONDS) * 1_000;
async function expectOk(what, ask) {
  for (;;) {
    const { status, text } = await ask();
    if (status === 200) {
      console.log(`ok: ${what}`);
      return;
    }
    if (Date.now() > deadline) {
      console.error(`failed: ${what}: ${status || 'no response'} ${text.slice(0, 500)}`);
      process.exit(1);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

await expectOk('the operator is ready', () => answer(`${OPERATOR_URL}/readyz`));
const authorization = `Bearer ${(await readFile(TOKEN_FILE, 'utf8')).trim()}`;
const prefixes = WATCH_NAMESPACES ? WATCH_NAMESPACES.split(',').map((name) => `namespaces/${name}/`) : [''];
for (const prefix of prefixes) {
  const path = `/apis/prom-migrator.io/v1alpha1/${prefix}prommigrations?limit=1`;
  await expectOk(`GET ${path}`, () => answer(`${API_URL}${path}`, { authorization }));
}
