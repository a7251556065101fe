// Access tokens by OAuth 2.0 client credentials (RFC 6749 §4.4).

import type { Clock } from '../../telemetry/clock.ts';
import type { Secret } from '../../telemetry/secret.ts';
import { readAgain } from '../../telemetry/secret-file.ts';
import type { OAuth2Auth } from '../http/endpoint.ts';
import { secretsIn, secretsInUrls } from '../http/redact-response.ts';
import { tokenIn } from './bearer.ts';
import { ClockOffset } from './clock-offset.ts';
import { Issuer, type IssuerRequest } from './issuer.ts';
import type { Issued } from './renewed.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
/** What token endpoints return for a client that they do not accept. */
const REJECTED = [400, 401, 403];

type Form = Readonly<Record<string, string>>;

export class OAuth2Tokens {
  #auth: OAuth2Auth;
  readonly #clock: Clock;
  readonly #issuer: Issuer;
  readonly #offset = new ClockOffset();
  /**
   * Where the server expects the client's password. RFC 6749 §2.3.1 requires the header to be supported and some servers only know the body,
   * so the header is tried first.
   */
  #passwordIn: 'header' | 'body' | 'unknown' = 'unknown';

  constructor(auth: OAuth2Auth, clock: Clock) {
    this.#auth = auth;
    this.#clock = clock;
    this.#issuer = new Issuer({ clock, route: auth, name: 'token endpoint', field: `${auth.field}.tokenUrl` });
  }

  /** A new token. @throws CredentialFailure, or the signal's reason */
  async request(signal: AbortSignal): Promise<Issued<Secret>> {
    this.#auth = readAgain(this.#auth);
    const { proof } = this.#auth;
    return proof.kind === 'key'
      ? await this.#withAssertion(signal)
      : await this.#withPassword(proof.secret.reveal(), signal);
  }

  async #withPassword(password: string, signal: AbortSignal): Promise<Issued<Secret>> {
    const id = this.#auth.clientId.reveal();
    const pair = Buffer.from(`${formEncoded(id)}:${formEncoded(password)}`, 'utf8').toString('base64');
    const inHeader = this.#requestOf({}, { authorization: `Basic ${pair}` }, [password, pair]);
    const inBody = this.#requestOf({ client_id: id, client_secret: password }, {}, [password]);
    if (this.#passwordIn === 'body') return await this.#tokenOf(inBody, signal);
    if (this.#passwordIn === 'header') return await this.#tokenOf(inHeader, signal);

    const response = await this.#issuer.send(inHeader, signal);
    if (!REJECTED.includes(response.status)) {
      const issued = this.#issuedIn(inHeader, response);
      this.#passwordIn = 'header';
      return issued;
    }
    const second = await this.#issuer.send(inBody, signal);
    // The header is the usual way: what the server says about it is of more use.
    if (REJECTED.includes(second.status)) throw this.#issuer.refusal(inHeader, response);
    const issued = this.#issuedIn(inBody, second);
    this.#passwordIn = 'body';
    return issued;
  }

  async #withAssertion(signal: AbortSignal): Promise<Issued<Secret>> {
    for (let attempt = 1; ; attempt++) {
      const offsetMs = this.#offset.ms;
      const request = this.#requestOf(...(await this.#assertion(this.#clock.now() + offsetMs)));
      const response = await this.#issuer.send(request, signal);
      const mayBeClock =
        attempt === 1 &&
        REJECTED.includes(response.status) &&
        this.#offset.correct(response.headers.date, offsetMs, this.#clock.now());
      if (!mayBeClock) return this.#issuedIn(request, response);
    }
  }

  async #assertion(nowMs: number): Promise<[Form, Form, string[]]> {
    const { proof, clientId } = this.#auth;
    if (proof.kind !== 'key') throw new Error('the client has no key');
    // Loaded here, because a client with a password does not need it.
    const { signAssertion } = await import('./client-assertion.ts');
    const assertion = await signAssertion(proof, clientId.reveal(), nowMs);
    const form = {
      client_id: clientId.reveal(),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    };
    return [form, {}, [assertion]];
  }

  #requestOf(client: Form, headers: Form, secrets: readonly string[]): IssuerRequest {
    const { clientId, tokenUrl, scopes, parameters } = this.#auth;
    const own = Object.entries(parameters).map(([name, value]) => [name, value.reveal()] as const);
    const form = {
      ...Object.fromEntries(own),
      grant_type: 'client_credentials',
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...client,
    };
    return {
      method: 'POST',
      url: tokenUrl,
      headers: { ...FORM, ...headers },
      body: new URLSearchParams(form).toString(),
      secrets: [...secrets, clientId.reveal(), ...secretsIn(parameters), ...secretsInUrls(tokenUrl)],
    };
  }

  async #tokenOf(request: IssuerRequest, signal: AbortSignal): Promise<Issued<Secret>> {
    return this.#issuedIn(request, await this.#issuer.send(request, signal));
  }

  #issuedIn(request: IssuerRequest, response: Awaited<ReturnType<Issuer['send']>>): Issued<Secret> {
    if (response.status < 200 || response.status >= 300) throw this.#issuer.refusal(request, response);
    const issued = tokenIn(response.text, this.#clock.now());
    if (issued !== undefined) return issued;
    throw this.#issuer.failure(request.url, 'returned no access_token of the type Bearer', { isTransient: false });
  }
}

/** RFC 6749 §2.3.1: id and password are encoded like form fields before they are joined. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
