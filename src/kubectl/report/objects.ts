// What a report keeps of pods, Jobs and the CustomResourceDefinition. Environment, volumes and templates are left out: they may have literal
// secrets, and a report does not need them. Pure.

import { redactObject } from './redact.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A v1 Pod, as far as it is needed. */
export interface PodObject {
  readonly metadata: Fields & { readonly name: string; readonly namespace?: string };
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly (Fields & {
      readonly name: string;
      readonly image?: string;
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    })[];
  };
  readonly status?: Fields & {
    readonly phase?: string;
    readonly containerStatuses?: readonly { readonly name?: string; readonly restartCount?: number }[];
  };
}

function picked(fields: Fields | undefined, ...names: string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (fields?.[name] === undefined ? [] : [[name, fields[name]]])));
}

const METADATA = ['name', 'namespace', 'uid', 'labels', 'creationTimestamp', 'deletionTimestamp'];

export function reportedPod({ metadata, spec, status }: PodObject): unknown {
  const containers = (spec?.containers ?? []).map((container) =>
    picked(container, 'name', 'image', 'args', 'resources', 'ports'),
  );
  return redactObject({
    metadata: picked(metadata, ...METADATA),
    spec: { ...picked(spec, 'nodeName'), containers },
    status,
  });
}

export function reportedJob({ metadata, spec, status }: { metadata: Fields; spec?: Fields; status?: Fields }): unknown {
  const { template: _, ...rest } = spec ?? {};
  return redactObject({ metadata: picked(metadata, ...METADATA, 'annotations'), spec: rest, status });
}

/** A v1 CustomResourceDefinition, as far as it is needed. */
export interface Definition {
  readonly metadata: Fields;
  readonly spec?: { readonly versions?: readonly { readonly name: string; readonly served?: boolean }[] };
  readonly status?: { readonly storedVersions?: readonly string[] };
}

export function reportedDefinition({ metadata, spec, status }: Definition): unknown {
  return redactObject({
    ...picked(metadata, 'name', 'generation', 'labels', 'creationTimestamp'),
    versions: (spec?.versions ?? []).map(({ name, served }) => ({ name, served })),
    storedVersions: status?.storedVersions,
  });
}
