// The CustomResourceDefinition that comes with this package, read once: the one truth about the manifest. validate.ts checks
// manifests against its schema, scripts/docs.ts makes the types and the reference from it.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** One `x-kubernetes-validations` rule: a CEL expression that must be true of `self`. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  /** JSONPath below `self`, such as `.end`: where the problem is reported. */
  readonly fieldPath?: string;
}

/** The part of Kubernetes' structural schemas (OpenAPI v3) that the CRD uses; validate.ts refuses any other keyword. */
export interface Schema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

export interface Resource {
  /** `<group>/<version>`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly schema: Schema;
}

export const crdFile = new URL('../../crds/prommigrations.prom-migrator.io.yaml', import.meta.url);

let resource: Resource | undefined;

/** The resource that the CRD defines, in its newest version. */
export function promMigrationResource(): Resource {
  if (resource === undefined) {
    const crd = parse(readFileSync(crdFile, 'utf8')) as CustomResourceDefinition;
    const version = crd.spec.versions.at(-1);
    if (version === undefined) throw new Error(`${crdFile.pathname} defines no version`);
    resource = {
      apiVersion: `${crd.spec.group}/${version.name}`,
      kind: crd.spec.names.kind,
      schema: version.schema.openAPIV3Schema,
    };
  }
  return resource;
}
