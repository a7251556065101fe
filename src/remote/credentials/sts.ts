// Temporary keys from the AWS Security Token Service.

import type { Clock } from '../../telemetry/clock.ts';
import { Secret, SecretUrl } from '../../telemetry/secret.ts';
import type { SigV4Auth } from '../http/endpoint.ts';
import type { ClockOffset } from './clock-offset.ts';
import { Issuer, type IssuerRequest, type IssuerResponse, xmlField } from './issuer.ts';
import type { Issued } from './renewed.ts';
import { type AwsKeys, signV4 } from './sign-v4.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
/** Codes of AWS that come with the status 400. */
const PASSING = /<Code>(?:Throttling|ThrottlingException|RequestLimitExceeded|IDPCommunicationError)<\/Code>/;

export interface StsOptions {
  readonly auth: SigV4Auth;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly offset: ClockOffset;
}

export class SecurityTokenService {
  readonly #options: StsOptions;
  readonly #issuer: Issuer;
  readonly #url: SecretUrl;
  readonly #session: string;

  constructor(options: StsOptions) {
    const { auth, clock, env } = options;
    this.#options = options;
    const mayPass = ({ text }: IssuerResponse) => PASSING.test(text);
    this.#issuer = new Issuer({ clock, route: auth, name: 'AWS STS endpoint', field: auth.field, mayPass });
    const domain = auth.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    this.#url = new SecretUrl(env['AWS_ENDPOINT_URL_STS'] || `https://sts.${auth.region}.${domain}/`);
    this.#session = env['AWS_ROLE_SESSION_NAME'] || 'prom-migrator';
  }

  /** @throws CredentialFailure, or the signal's reason */
  async assumeRole(
    { arn, externalId }: NonNullable<SigV4Auth['role']>,
    keys: AwsKeys,
    signal: AbortSignal,
  ): Promise<Issued<AwsKeys>> {
    const { auth, clock, offset } = this.#options;
    const body = this.#form('AssumeRole', arn, externalId === undefined ? {} : { ExternalId: externalId });
    const secrets = [keys.accessKey, keys.secretKey, keys.sessionToken].map((secret) => secret?.reveal() ?? '');
    for (let attempt = 1; ; attempt++) {
      const offsetMs = offset.ms;
      const parts = { method: 'POST', url: this.#url.reveal(), headers: FORM, body: Buffer.from(body, 'utf8') };
      const signed = signV4(parts, keys, { region: auth.region, service: 'sts' }, clock.now() + offsetMs);
      const request: IssuerRequest = { method: 'POST', url: this.#url, headers: { ...FORM, ...signed }, body, secrets };
      const response = await this.#issuer.send(request, signal);
      const mayBeClock =
        attempt === 1 &&
        [400, 403].includes(response.status) &&
        offset.correct(response.headers.date, offsetMs, clock.now());
      if (!mayBeClock) return this.#keysIn(request, response);
    }
  }

  /** The request is not signed: the token proves who sends it. @throws like `assumeRole` */
  async assumeRoleWithWebIdentity(arn: string, token: Secret, signal: AbortSignal): Promise<Issued<AwsKeys>> {
    const body = this.#form('AssumeRoleWithWebIdentity', arn, { WebIdentityToken: token.reveal() });
    const request = { method: 'POST' as const, url: this.#url, headers: FORM, body, secrets: [token.reveal()] };
    return this.#keysIn(request, await this.#issuer.send(request, signal));
  }

  #form(action: string, arn: string, others: Readonly<Record<string, string>>): string {
    const own = { Action: action, Version: '2011-06-15', RoleArn: arn, RoleSessionName: this.#session };
    return new URLSearchParams({ ...own, ...others }).toString();
  }

  #keysIn(request: IssuerRequest, response: IssuerResponse): Issued<AwsKeys> {
    const { status, text, headers } = response;
    if (status < 200 || status >= 300) throw this.#issuer.refusal(request, response);
    const field = (name: string) => xmlField(text, name) ?? '';
    const [accessKey, secretKey, sessionToken] = [
      field('AccessKeyId'),
      field('SecretAccessKey'),
      field('SessionToken'),
    ];
    if (accessKey === '' || secretKey === '' || sessionToken === '')
      throw this.#issuer.failure(request.url, 'returned no keys', { isTransient: false });
    return {
      value: {
        accessKey: new Secret(accessKey),
        secretKey: new Secret(secretKey),
        sessionToken: new Secret(sessionToken),
      },
      lifeMs: lifeMsOf(field('Expiration'), headers.date, this.#options.clock.now()),
    };
  }
}

/** By the clock of the server that issued the keys, if its response has the time. */
export function lifeMsOf(expiration: string, date: string | undefined, nowMs: number): number | undefined {
  const endMs = Date.parse(expiration);
  const dateMs = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(endMs) ? undefined : Math.max(endMs - (Number.isNaN(dateMs) ? nowMs : dateMs), 0);
}
