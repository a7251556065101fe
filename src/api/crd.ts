// The shape of this package's CustomResourceDefinition, which is the single source of truth about the manifest: the checks, the types and
// the reference are made from it. compiled-crd.ts has its content.

/** One `x-kubernetes-validations` rule: a CEL expression that must be true for `self`. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  /** JSONPath below `self`, such as `.end`: the place where the problem is reported. */
  readonly fieldPath?: string;
}

/** The part of Kubernetes' structural schemas (OpenAPI v3) that the CRD uses. crd-compiler.ts rejects any other keyword. */
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
  /** An integer or a string; it has no `type`. A pattern applies to strings, bounds to integers. */
  readonly 'x-kubernetes-int-or-string'?: true;
  /** Fields that the schema does not name are kept as they are. */
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

export interface Resource {
  /** `<group>/<version>`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly schema: Schema;
}

export const CRD_FILE = new URL('../../crds/prommigrations.prom-migrator.io.yaml', import.meta.url);
