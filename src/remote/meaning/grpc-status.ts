// How a gRPC call ended, other than well.

/** Of google.rpc.Code, those that are decided about. */
export const GRPC_CODES = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

export class GrpcStatus extends Error {
  override readonly name = 'GrpcStatus';
  readonly code: number;
  /** As the server, or the gRPC library, wrote them. */
  readonly details: string;

  constructor(code: number, details: string) {
    super(`gRPC status ${code}: ${details}`);
    this.code = code;
    this.details = details;
  }
}
