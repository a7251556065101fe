// The connection to a gRPC server, with the endpoint's TLS settings and credentials. Loaded when the first call is made: the library takes
// a tenth of a second.

import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import { ChannelCredentials, Channel, type ChannelInterface, Metadata } from '@grpc/grpc-js';
import { VERSION } from '../../telemetry/version.ts';
import type { Secret } from '../../telemetry/secret.ts';
import type { Endpoint, EndpointTls } from '../http/endpoint.ts';

/** A server that has restarted is found again within this time. The pauses between attempts are the retrier's. */
const LONGEST_RECONNECT_MS = 1000;

/** What may be under way to this process. HTTP/2's own 64 KiB would make a distant server wait most of the time. */
const WINDOW_BYTES = 1024 * 1024;

/** The library always sends a server name, and TLS does not allow an address in its place. */
const NAME_OF_ADDRESS = 'address.invalid';

export interface GrpcChannel {
  readonly channel: ChannelInterface;
  readonly metadata: Metadata;
}

/** @param headers without the credentials, names in lower case */
export function openGrpcChannel(
  { url, tls }: Pick<Endpoint, 'url' | 'tls'>,
  headers: Readonly<Record<string, Secret>>,
  maxMessageBytes: number,
): GrpcChannel {
  const { protocol, host, hostname } = new URL(url.reveal());
  const name = tls.serverName ?? hostname.replace(/^\[(.*)\]$/, '$1');
  const credentials = protocol === 'grpcs:' ? secure(tls, name) : ChannelCredentials.createInsecure();
  const channel = new Channel(`dns:${host}`, credentials, {
    'grpc.primary_user_agent': `prom-migrator/${VERSION}`,
    'grpc.max_receive_message_length': maxMessageBytes,
    // The retrier decides, and as for HTTP only the manifest sets a proxy.
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
    'grpc.initial_reconnect_backoff_ms': LONGEST_RECONNECT_MS,
    'grpc.max_reconnect_backoff_ms': LONGEST_RECONNECT_MS,
    'grpc.dns_min_time_between_resolutions_ms': LONGEST_RECONNECT_MS,
    'grpc-node.flow_control_window': WINDOW_BYTES,
    'grpc.ssl_target_name_override': isIP(name) === 0 ? name : NAME_OF_ADDRESS,
  });
  return { channel, metadata: metadataOf(headers) };
}

/** @param name that the certificate must have: a host name or an address */
function secure({ ca, cert, key, minVersion, insecureSkipVerify }: EndpointTls, name: string): ChannelCredentials {
  const context = createSecureContext({
    minVersion,
    ...(ca !== undefined && { ca: ca.reveal() }),
    ...(cert !== undefined && { cert: cert.reveal() }),
    ...(key !== undefined && { key: key.reveal() }),
  });
  return ChannelCredentials.createFromSecureContext(context, {
    rejectUnauthorized: !insecureSkipVerify,
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  });
}

function metadataOf(headers: Readonly<Record<string, Secret>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    // The values of such names are bytes.
    metadata.set(name, name.endsWith('-bin') ? Buffer.from(value.reveal()) : value.reveal());
  }
  return metadata;
}
