// The few types of the Kubernetes API that the operator reads and writes, and their paths. The types cover only fields that are used: an
// object keeps every other field that the server sent.

/** The metadata that every object has. */
interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly { readonly manager?: string; readonly subresource?: string }[];
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export interface KubeList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  /** Go servers write an empty list as null. */
  readonly items: readonly T[] | null;
}

/** The body of every response that is not a success. */
export interface KubeStatus {
  readonly kind: 'Status';
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  /** The resource; for BOOKMARK an empty one with a resourceVersion, for ERROR a Status. */
  readonly object: unknown;
}

/** coordination.k8s.io/v1. */
export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** The subject of an Event. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** events.k8s.io/v1. All fields except `series` are immutable. */
export interface KubeEvent extends KubeObject {
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly action: string;
  readonly reason: string;
  readonly regarding: ObjectReference;
  readonly note: string;
  readonly type: 'Normal' | 'Warning';
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** A v1 Secret (values in base64) or ConfigMap (`data` as text, `binaryData` in base64). */
export interface KeyedData extends KubeObject {
  readonly data?: Readonly<Record<string, string>> | null;
  readonly binaryData?: Readonly<Record<string, string>> | null;
}

/** The identity of an object, which cannot be renamed or moved: `namespace/name`, or only the name if it has no namespace. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export interface ResourcePath {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Undefined: all namespaces, or a resource without namespaces. */
  readonly namespace?: string;
  readonly resource: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The URL path of a resource or a collection. Each part is escaped, so that no name can point to another object. */
export function resourcePath({ group, version, namespace, resource, name, subresource }: ResourcePath): string {
  const parts = group === '' ? ['api', version] : ['apis', group, version];
  if (namespace !== undefined) parts.push('namespaces', namespace);
  parts.push(resource);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return parts.map((part) => `/${encodePathPart(part)}`).join('');
}

function encodePathPart(part: string): string {
  // encodeURIComponent does not escape dots, and a URL resolves `.` and `..`.
  if (part === '' || part === '.' || part === '..')
    throw new RangeError(`${JSON.stringify(part)} is not allowed in a path`);
  return encodeURIComponent(part);
}

/** The target of a path, for metrics and for comparison with the granted rights. */
export function describePath(path: string): { readonly resource: string; readonly named: boolean } {
  const parts = path.split('/').slice(1);
  // /version, /readyz and the like.
  if (parts[0] !== 'api' && parts[0] !== 'apis') return { resource: parts[0] ?? '', named: true };
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  if (rest[0] === 'namespaces' && rest.length > 2) rest.splice(0, 2);
  const [resource = 'unknown', name, subresource] = rest;
  return { resource: subresource === undefined ? resource : `${resource}/${subresource}`, named: name !== undefined };
}

/** RFC 3339 with exactly six digits: the API server refuses fewer in a Lease or an Event. */
export function microTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '000Z');
}

/**
 * The object without data that would be stored but never read: kubectl's copy of the manifest, and managedFields except the names of managers
 * that own fields of the status.
 */
export function slimmed<T extends KubeObject>(object: T): T {
  const { managedFields, ...metadata } = object.metadata;
  const { [LAST_APPLIED]: manifest, ...annotations } = metadata.annotations ?? {};
  if (managedFields === undefined && manifest === undefined) return object;
  const owners = (managedFields ?? [])
    .filter(({ subresource }) => subresource === 'status')
    .map(({ manager, subresource }) => ({ manager, subresource }));
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(metadata.annotations !== undefined && { annotations }),
      ...(owners.length > 0 && { managedFields: owners }),
    },
  };
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  /** What happened, one word in CamelCase: Started, SamplesRejected, … */
  readonly reason: string;
  /** What the operator did or tried: Migrate, Suspend, … */
  readonly action: string;
  /** A sentence for people; shortened to a kilobyte, without control characters and without the secrets of URLs. */
  readonly note: string;
}
