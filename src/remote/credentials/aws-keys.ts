// The keys of an AWS account that requests are signed with: from the manifest's Secrets, or from the environment in the order of AWS' own
// SDKs, and those of a role that is assumed with them. Profiles and the metadata service of EC2 are not read.

import type { Clock } from '../../telemetry/clock.ts';
import { Secret, SecretUrl } from '../../telemetry/secret.ts';
import { readAgain, readSecretFile } from '../../telemetry/secret-file.ts';
import { CredentialFailure } from '../http/credentials.ts';
import type { SigV4Auth } from '../http/endpoint.ts';
import type { ClockOffset } from './clock-offset.ts';
import { Issuer, objectOf } from './issuer.ts';
import type { Issued } from './renewed.ts';
import type { AwsKeys } from './sign-v4.ts';
import { lifeMsOf, SecurityTokenService } from './sts.ts';

/** Where the agents of ECS listen. */
const CONTAINER_HOST = 'http://169.254.170.2';

export class AwsKeyChain {
  #auth: SigV4Auth;
  readonly #clock: Clock;
  readonly #env: NodeJS.ProcessEnv;
  readonly #sts: SecurityTokenService;

  /** @param offset of the clock of AWS */
  constructor(auth: SigV4Auth, clock: Clock, env: NodeJS.ProcessEnv, offset: ClockOffset) {
    this.#auth = auth;
    this.#clock = clock;
    this.#env = env;
    this.#sts = new SecurityTokenService({ auth, clock, env, offset });
  }

  /** The current keys. @throws CredentialFailure, or the signal's reason */
  async request(signal: AbortSignal): Promise<Issued<AwsKeys>> {
    this.#auth = readAgain(this.#auth);
    const { keys, role } = this.#auth;
    const base =
      keys === undefined
        ? await this.#ofEnvironment(signal)
        : { value: { ...keys, sessionToken: undefined }, lifeMs: undefined };
    return role === undefined ? base : await this.#sts.assumeRole(role, base.value, signal);
  }

  async #ofEnvironment(signal: AbortSignal): Promise<Issued<AwsKeys>> {
    const {
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ROLE_ARN: arn,
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: full,
    } = this.#env;
    if (accessKey && secretKey) {
      return { value: keysOf(accessKey, secretKey, sessionToken || undefined), lifeMs: undefined };
    }
    if (tokenFile && arn) {
      return await this.#sts.assumeRoleWithWebIdentity(
        arn,
        this.#tokenIn(tokenFile, 'AWS_WEB_IDENTITY_TOKEN_FILE'),
        signal,
      );
    }
    const url = relative ? `${CONTAINER_HOST}${relative}` : full;
    if (url) return await this.#ofContainer(url, signal);
    throw new CredentialFailure(
      `cannot be authenticated: ${this.#auth.field} has no accessKey, and the environment has no credentials of AWS`,
      {
        isTransient: false,
        hint: `set ${this.#auth.field}.accessKey and secretKey, or run with a service account that has a role (with mode Job: spec.execution.job.serviceAccountName)`,
      },
    );
  }

  /** EKS Pod Identity and ECS. */
  async #ofContainer(url: string, signal: AbortSignal): Promise<Issued<AwsKeys>> {
    const { AWS_CONTAINER_AUTHORIZATION_TOKEN: token, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile } = this.#env;
    const authorization = tokenFile
      ? this.#tokenIn(tokenFile, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE').reveal()
      : (token ?? '');
    const { clock, route } = { clock: this.#clock, route: { tls: this.#auth.tls } };
    const issuer = new Issuer({ clock, route, name: 'container credentials endpoint', field: this.#auth.field });
    const request = {
      method: 'GET' as const,
      url: new SecretUrl(url),
      headers: authorization === '' ? {} : { authorization },
      secrets: [authorization],
    };
    const { text, headers } = await issuer.request(request, signal);
    const { AccessKeyId, SecretAccessKey, Token, Expiration } = objectOf(text) ?? {};
    if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string')
      throw issuer.failure(request.url, 'returned no keys', { isTransient: false });
    return {
      value: keysOf(AccessKeyId, SecretAccessKey, typeof Token === 'string' ? Token : undefined),
      lifeMs: lifeMsOf(String(Expiration), headers.date, this.#clock.now()),
    };
  }

  #tokenIn(path: string, variable: string): Secret {
    const token = readSecretFile(path);
    if (token !== undefined) return token;
    throw new CredentialFailure(
      `cannot be authenticated: ${this.#auth.field} needs the token in the file ${path}, which cannot be read`,
      { isTransient: false, hint: `check ${variable} and the service account of the pod` },
    );
  }
}

function keysOf(accessKey: string, secretKey: string, sessionToken: string | undefined): AwsKeys {
  return {
    accessKey: new Secret(accessKey),
    secretKey: new Secret(secretKey),
    sessionToken: sessionToken === undefined ? undefined : new Secret(sessionToken),
  };
}
