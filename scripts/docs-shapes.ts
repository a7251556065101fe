// The objects of the CRD's schema, each with a name and the places where it stands.

import type { Schema } from '../src/api/crd.ts';

/** An object of the schema: an interface in the types, and a section of the reference. Equal objects share it. */
export interface Shape {
  readonly name: string;
  readonly schema: Schema;
  /** The paths of its occurrences, such as `spec.source.tls`. */
  readonly paths: string[];
}

/** Names of shapes that would otherwise be named after their field. */
const NAMES: Readonly<Record<string, string>> = {
  spec: 'PromMigrationSpec',
  status: 'PromMigrationStatus',
  'spec.source': 'SourceSpec',
  'spec.source.oauth2': 'OAuth2',
  'spec.source.oauth2.privateKey': 'OAuth2PrivateKey',
  'spec.source.sigv4': 'SigV4',
  'spec.source.azureAd': 'AzureAd',
  'spec.source.azureAd.managedIdentity': 'AzureManagedIdentity',
  'spec.source.azureAd.oauth': 'AzureClient',
  'spec.source.azureAd.workloadIdentity': 'AzureWorkloadIdentity',
  'spec.destination': 'DestinationSpec',
  'spec.destination.progress': 'DestinationProgress',
  'spec.destination.progress.timeouts': 'ProgressTimeouts',
  'spec.window': 'WindowBounds',
  'spec.execution': 'ExecutionSpec',
  'spec.execution.job': 'JobSettings',
  'spec.execution.job.resources': 'PodResources',
  'spec.execution.job.tolerations[]': 'Toleration',
  'spec.execution.job.topologySpreadConstraints[]': 'TopologySpreadConstraint',
  'spec.execution.job.imagePullSecrets[]': 'ImagePullSecret',
  'spec.relabelings[]': 'Relabeling',
  'spec.verification': 'VerificationSpec',
  'status.conditions[]': 'Condition',
  'status.range': 'CopiedRange',
  'status.stretches': 'StatusStretches',
  'status.stretches.failed[]': 'FailedStretch',
  'status.progress': 'StatusProgress',
  'status.recentErrors[]': 'RecentError',
  'status.verification': 'StatusVerification',
  'status.verification.settings': 'VerificationSettings',
  'status.verification.first[]': 'StatusDifference',
};

const SHARED_NAMES: Readonly<Record<string, string>> = {
  username: 'KeyReference',
  ca: 'SecretOrConfigMap',
};

export class Shapes {
  readonly all: Shape[] = [];
  readonly #byContent = new Map<string, Shape>();

  constructor(root: Schema) {
    for (const [field, schema] of Object.entries(root.properties ?? {})) {
      if (schema.properties !== undefined) this.#add(field, field, schema);
    }
  }

  /** The shape of an object's schema. */
  of(schema: Schema): Shape {
    const shape = this.#byContent.get(content(schema));
    if (shape === undefined) throw new Error('an object of the schema that was not visited');
    return shape;
  }

  #add(path: string, field: string, schema: Schema): void {
    const known = this.#byContent.get(content(schema));
    if (known !== undefined) {
      known.paths.push(path);
      return;
    }
    const name = NAMES[path] ?? SHARED_NAMES[field] ?? `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
    if (this.all.some((shape) => shape.name === name))
      throw new Error(`two shapes would be called ${name}: name ${path}`);
    const shape: Shape = { name, schema, paths: [path] };
    this.all.push(shape);
    this.#byContent.set(content(schema), shape);
    for (const [child, childSchema] of Object.entries(schema.properties ?? {})) {
      const { items } = childSchema;
      if (childSchema.properties !== undefined) this.#add(`${path}.${child}`, child, childSchema);
      else if (items?.properties !== undefined) this.#add(`${path}.${child}[]`, child, items);
    }
  }
}

/** The identity of an object, independent of its descriptions and of its default. */
function content(schema: Schema): string {
  const { default: _, ...rest } = schema;
  return JSON.stringify(rest, (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value));
}
