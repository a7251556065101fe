// The entries of the API server's audit log.

/** One completed request in the API server's audit log. */
export interface AuditEvent {
  stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  verb: string;
  requestURI: string;
  userAgent?: string;
  user: { username: string; groups?: string[] };
  objectRef?: {
    resource: string;
    subresource?: string;
    namespace?: string;
    name?: string;
    apiGroup?: string;
    apiVersion?: string;
  };
  responseStatus?: { code: number; reason?: string; message?: string };
  /** RFC 3339, microseconds. */
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}
