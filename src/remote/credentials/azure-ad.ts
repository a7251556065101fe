// Tokens of Microsoft Entra ID: for a managed identity, an application with a client secret, a workload identity.

import type { Clock } from '../../telemetry/clock.ts';
import { type Secret, SecretUrl } from '../../telemetry/secret.ts';
import { readAgain, readSecretFile } from '../../telemetry/secret-file.ts';
import { CredentialFailure } from '../http/credentials.ts';
import type { AzureAdAuth } from '../http/endpoint.ts';
import { tokenIn } from './bearer.ts';
import { Issuer, type IssuerRequest } from './issuer.ts';
import type { Issued } from './renewed.ts';

const AUTHORITIES: Readonly<Record<AzureAdAuth['cloud'], string>> = {
  AzurePublic: 'https://login.microsoftonline.com',
  AzureChina: 'https://login.chinacloudapi.cn',
  AzureGovernment: 'https://login.microsoftonline.us',
};

const METADATA_SERVICE = 'http://169.254.169.254';
/** While an identity is being assigned, and during updates. */
const METADATA_PASSING = [404, 410];

/**
 * Where tokens are requested. Workload identity sets the variable in every pod, to the cloud of the cluster: a cloud in the manifest counts for more,
 * and an application with a client secret is not in the cluster's cloud. Only an authority of its own, as Azure Stack has it, can replace the
 * default for all.
 */
export function authorityOf(
  { cloud, identity }: Pick<AzureAdAuth, 'cloud' | 'identity'>,
  host: string | undefined,
): string {
  const own = (host ?? '').replace(/\/+$/, '');
  const isOfCluster = Object.values(AUTHORITIES).includes(own);
  const counts = own !== '' && cloud === 'AzurePublic' && !(isOfCluster && identity.kind === 'client');
  return counts ? own : AUTHORITIES[cloud];
}

export class AzureAdTokens {
  #auth: AzureAdAuth;
  readonly #clock: Clock;
  readonly #env: NodeJS.ProcessEnv;

  constructor(auth: AzureAdAuth, clock: Clock, env: NodeJS.ProcessEnv) {
    this.#auth = auth;
    this.#clock = clock;
    this.#env = env;
  }

  /** A new token. @throws CredentialFailure, or the signal's reason */
  async request(signal: AbortSignal): Promise<Issued<Secret>> {
    this.#auth = readAgain(this.#auth);
    const { identity } = this.#auth;
    if (identity.kind === 'managed') return await this.#ofManagedIdentity(identity.clientId, signal);
    const { clientId, tenantId } = identity;
    const proof: Readonly<Record<string, string>> =
      identity.kind === 'client' ? { client_secret: identity.secret.reveal() } : this.#federated();
    const form = { grant_type: 'client_credentials', client_id: clientId, scope: this.#scope, ...proof };
    const authority = authorityOf(this.#auth, this.#env['AZURE_AUTHORITY_HOST']);
    const issuer = this.#issuer('token endpoint', this.#auth);
    return await this.#tokenFrom(issuer, signal, {
      method: 'POST',
      url: new SecretUrl(`${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(form).toString(),
      secrets: Object.values(proof),
    });
  }

  get #scope(): string {
    return this.#auth.scope ?? '';
  }

  #federated(): Readonly<Record<string, string>> {
    const path = this.#env['AZURE_FEDERATED_TOKEN_FILE'];
    const token = path === undefined || path === '' ? undefined : readSecretFile(path);
    if (token === undefined) {
      const { field } = this.#auth;
      const found = path === undefined || path === '' ? 'is not set' : `names ${path}, which cannot be read`;
      throw new CredentialFailure(
        `cannot be authenticated: ${field}.workloadIdentity needs a token of the service account, but AZURE_FEDERATED_TOKEN_FILE ${found}`,
        {
          isTransient: false,
          hint: 'give the pod the label azure.workload.identity/use: "true" and a service account with workload identity (with mode Job: spec.execution.job)',
        },
      );
    }
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: token.reveal(),
    };
  }

  async #ofManagedIdentity(clientId: string | undefined, signal: AbortSignal): Promise<Issued<Secret>> {
    const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header, AZURE_POD_IDENTITY_AUTHORITY_HOST: host } = this.#env;
    // App Service, Container Apps and their like; everywhere else the metadata service of the machine.
    const isAppService = Boolean(endpoint) && Boolean(header);
    const base = isAppService ? (endpoint ?? '') : `${host || METADATA_SERVICE}/metadata/identity/oauth2/token`;
    const query = new URLSearchParams({
      'api-version': isAppService ? '2019-08-01' : '2018-02-01',
      resource: this.#scope.replace(/\/\.default$/, ''),
      ...(clientId !== undefined && { client_id: clientId }),
    });
    // It is reached without a proxy: its address is only valid on this machine.
    const issuer = this.#issuer('metadata service', { tls: this.#auth.tls });
    return await this.#tokenFrom(issuer, signal, {
      method: 'GET',
      url: new SecretUrl(`${base}?${query}`),
      headers: isAppService ? { 'x-identity-header': header ?? '' } : { metadata: 'true' },
      secrets: isAppService ? [header ?? ''] : [],
    });
  }

  #issuer(name: string, route: Pick<AzureAdAuth, 'tls' | 'proxyUrl'>): Issuer {
    const mayPass = ({ status }: { readonly status: number }) =>
      name === 'metadata service' && METADATA_PASSING.includes(status);
    return new Issuer({ clock: this.#clock, route, name, field: this.#auth.field, mayPass });
  }

  async #tokenFrom(issuer: Issuer, signal: AbortSignal, request: IssuerRequest): Promise<Issued<Secret>> {
    const { text } = await issuer.request(request, signal);
    const issued = tokenIn(text, this.#clock.now());
    if (issued !== undefined) return issued;
    throw issuer.failure(request.url, 'returned no access_token of the type Bearer', { isTransient: false });
  }
}
