// The codes for requests that got no complete HTTP response: network, TLS, abort.

import type { ResponseCode } from './response-code.ts';

export const NETWORK_CODES = {
  // The network.
  'dns-not-found': {
    arrival: 'no',
    meaning: "the server's host name cannot be resolved",
    cure: 'check the host name in spec.SIDE.url (in Kubernetes: service.namespace.svc)',
  },
  'connection-refused': {
    arrival: 'no',
    meaning: 'nothing listens on this address and port',
    cure: 'check host and port in spec.SIDE.url, and that the server is running',
  },
  'connection-reset': {
    arrival: 'unknown',
    meaning: 'the connection was closed before a response arrived',
    cure: 'the request is retried; if it persists, check the logs of the server and of the proxies in front of it',
  },
  'connect-timeout': {
    arrival: 'no',
    meaning: 'no connection within spec.SIDE.timeouts.connect',
    cure: 'check that this address is reachable from here: firewall, network policy, VPN',
  },
  'send-timeout': {
    arrival: 'no',
    meaning: 'the server did not read the request in time',
    cure: 'raise spec.SIDE.timeouts.firstByte, or find out what slows the server down',
  },
  'first-byte-timeout': {
    arrival: 'unknown',
    meaning: 'no response within spec.SIDE.timeouts.firstByte',
    cure: 'raise spec.SIDE.timeouts.firstByte, or set a smaller spec.window.max',
  },
  'silence-timeout': {
    arrival: 'unknown',
    meaning: 'the response paused for longer than spec.SIDE.timeouts.silence',
    cure: 'raise spec.SIDE.timeouts.silence, or set a smaller spec.window.max',
  },
  'too-slow': {
    arrival: 'unknown',
    meaning:
      'fewer than 256 bytes of the response arrived in a minute of waiting (or in spec.SIDE.timeouts.silence if that is longer)',
    cure: 'the request is retried; if it persists, find out what slows down the server, or a proxy in front of it',
  },
  'cut-off': {
    arrival: 'unknown',
    meaning: 'the response was cut off before its end',
    cure: 'the request is retried; if it persists, check the logs of the server and of the proxies in front of it for crashes and timeouts',
  },
  unreachable: {
    arrival: 'no',
    meaning: 'there is no network route to the server',
    cure: 'check the address in spec.SIDE.url and the network in between',
  },
  'network-error': { arrival: 'unknown', meaning: 'another network failure', cure: 'see the message' },
  'proxy-unreachable': {
    arrival: 'no',
    meaning: 'the proxy reported that it cannot reach the server',
    cure: 'check spec.SIDE.proxyUrl and what the proxy can reach',
  },

  // TLS.
  'tls-untrusted': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: "the server's certificate is not signed by a known authority, or is not currently valid",
    cure: 'set spec.SIDE.tls.ca to the certificate of its authority, renew an expired certificate, and check the clock',
  },
  'tls-wrong-name': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: "the server's certificate is for a different name",
    cure: 'use a name from the certificate in spec.SIDE.url, or set spec.SIDE.tls.serverName to one',
  },
  'tls-client-certificate': {
    arrival: 'no',
    meaning: 'the server requires a client certificate, or does not accept the one that it received',
    cure: 'set spec.SIDE.tls.cert and spec.SIDE.tls.keySecret to a certificate signed by an authority that the server trusts',
  },
  'tls-bad-material': {
    arrival: 'no',
    meaning: 'the CA, the certificate or the key cannot be used',
    cure: 'check that spec.SIDE.tls.ca, cert and keySecret contain PEM data, and that the certificate matches the key',
  },
  'tls-failed': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the TLS handshake failed: no common version or cipher, or the port does not use TLS',
    cure: 'check whether spec.SIDE.url names the right scheme (https or http, grpcs or grpc), and check spec.SIDE.tls.minVersion, and spec.SIDE.tls.cert if the server requires a client certificate',
  },
  'not-http': {
    arrival: 'unknown',
    afterGood: 'retry',
    meaning: 'the server at this port does not use HTTP/1.1',
    cure: 'check the port in spec.SIDE.url: a gRPC port does not serve this protocol (the one of a Thanos is read with spec.source.protocol: ThanosStore and grpc://host:port)',
  },
  'not-grpc': {
    arrival: 'no',
    afterGood: 'retry',
    meaning: 'the server at this port does not use gRPC',
    cure: 'set spec.SIDE.url to the gRPC address of the server (Thanos: --grpc-address, port 10901 by default), not to its HTTP port; with grpcs:// instead of grpc:// if that port uses TLS',
  },
  'client-failure': {
    arrival: 'no',
    meaning: 'the request could not be sent',
    cure: 'check url, headers and proxyUrl of spec.SIDE for characters that HTTP does not allow',
  },

  aborted: { arrival: 'unknown', meaning: 'prom-migrator aborted the request', cure: 'no action needed' },
} as const satisfies Record<string, ResponseCode>;
