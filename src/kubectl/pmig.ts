// The actions of `kubectl pmig`, on the cluster and with the rights of the user's kubeconfig. What they print is made in text/.

import { KubeClient } from '../operator/kube/kube-client.ts';
import { type KubeConnection, loadKubeConnection } from '../operator/kube/kube-config.ts';
import { isNotFound, messageOf } from '../operator/kube/kube-errors.ts';
import { printableJson } from '../telemetry/log-text.ts';
import type { Action, ActionContext, PmigIo, PmigOptions, PmigOutcome } from './action-context.ts';
import { MigrationApi } from './migration-api.ts';
import { reportAction } from './report-action.ts';
import { suspendAction } from './suspend-action.ts';
import { type Failure, failureOf, unknownName } from './text/failure-text.ts';
import { wrapped } from './text/lines.ts';
import { listText } from './text/list-text.ts';
import { viewOf } from './text/migration-view.ts';
import { statusText } from './text/status-text.ts';
import { watchAction } from './watch-action.ts';

/** Each action needs other rights. */
const RIGHTS: Readonly<Record<Action | 'list', string>> = {
  ...{ status: 'get', watch: 'watch', suspend: 'patch', resume: 'patch', report: 'get', list: 'list' },
};

export async function runPmig(
  options: PmigOptions,
  io: PmigIo,
  connect: () => Promise<KubeConnection> = () => connectionOf(options, io),
): Promise<PmigOutcome> {
  let connection: KubeConnection;
  try {
    connection = await connect();
  } catch (error) {
    return failed(io, { message: messageOf(error), cure: 'check --kubeconfig and --context: kubectl config view' });
  }
  const client = new KubeClient(connection, { request: () => {} }, io.clock);
  const { clock, random, signal } = io;
  const api = new MigrationApi({ client, clock, random, signal });
  const namespace = options.namespace ?? connection.namespace;
  const context: ActionContext = { client, clock, random, signal, api, io, options, namespace };
  try {
    return await act(context);
  } catch (error) {
    const failure = await explained(context, error);
    if (failure === undefined) throw error;
    return failed(io, failure);
  } finally {
    client.close();
  }
}

function connectionOf({ kubeconfig, context }: PmigOptions, { env }: PmigIo): Promise<KubeConnection> {
  return loadKubeConnection({
    environment: env,
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
  });
}

async function act(context: ActionContext): Promise<PmigOutcome> {
  const { name, action } = context.options;
  if (name === undefined) return await listAll(context);
  switch (action) {
    case 'status':
      return await showStatus(context, name);
    case 'watch':
      return await watchAction(context, name);
    case 'suspend':
    case 'resume':
      return await suspendAction(context, name, action === 'suspend');
    case 'report':
      return await reportAction(context, name);
  }
}

async function listAll({ api, io, options, namespace }: ActionContext): Promise<PmigOutcome> {
  const { allNamespaces, output } = options;
  const found = await api.list(allNamespaces ? undefined : namespace);
  const views = found.map((migration) => viewOf(migration, { events: [] }));
  if (output === 'json') io.stdout.write(`${printableJson({ items: views })}\n`);
  else if (views.length > 0) io.stdout.write(listText(views, allNamespaces));
  else
    io.stderr.write(
      allNamespaces
        ? 'There are no PromMigrations.\n'
        : `There are no PromMigrations in the namespace ${namespace}. -A lists those of all namespaces.\n`,
    );
  return 'done';
}

async function showStatus({ api, io, options, namespace }: ActionContext, name: string): Promise<PmigOutcome> {
  const migration = await api.get(namespace, name);
  const view = viewOf(migration, await api.eventsOf(migration));
  io.stdout.write(options.output === 'json' ? `${printableJson(view)}\n` : statusText(view, io.clock.now()));
  return 'done';
}

/** A 404 means another name, or a cluster without prom-migrator: a list tells them apart. */
async function explained({ api, options, namespace }: ActionContext, error: unknown): Promise<Failure | undefined> {
  const { action, name, allNamespaces } = options;
  const attempt = {
    right: `${RIGHTS[name === undefined ? 'list' : action]} prommigrations.prom-migrator.io`,
    namespace: allNamespaces ? undefined : namespace,
  };
  if (!isNotFound(error) || name === undefined) return failureOf(error, attempt);
  try {
    return unknownName(name, namespace, await api.names(namespace));
  } catch (listError) {
    return failureOf(listError, attempt);
  }
}

function failed({ stderr }: PmigIo, { message, cure }: Failure): PmigOutcome {
  stderr.write(`${[...wrapped(`pmig: ${message}`, ''), ...wrapped(`do: ${cure}`, '  ')].join('\n')}\n`);
  return 'failed';
}
