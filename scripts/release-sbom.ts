// The bill of materials (CycloneDX): of what npm says about the installed packages, those whose code is in the bundle. Pure.

import { createHash } from 'node:crypto';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly scope?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly externalReferences?: readonly { readonly type: string; readonly url: string }[];
}

/** As `npm sbom --sbom-format cyclonedx` prints it. */
export interface Sbom {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component; readonly tools?: unknown };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** Which registry a package came from is about this machine. */
function publicPart({ properties: _, externalReferences = [], ...component }: Component): Component {
  const references = externalReferences.filter(({ type }) => type !== 'distribution');
  return { ...component, scope: 'required', ...(references.length > 0 && { externalReferences: references }) };
}

/**
 * @param packages in the bundle
 * @throws Error if npm does not know one of them
 */
export function shippedSbom(
  all: Sbom,
  packages: readonly { readonly name: string; readonly version: string }[],
  epochSeconds: number,
): Sbom {
  const shipped = packages.map(({ name, version }) => {
    const component = all.components.find((one) => one.name === name && one.version === version);
    if (component === undefined) throw new Error(`npm sbom does not list ${name} ${version}`);
    return component;
  });
  const refs = new Set(shipped.map((component) => component['bom-ref']));
  const product = all.metadata.component['bom-ref'];
  // The npm that has made it says nothing about the product.
  const { tools: _, ...metadata } = all.metadata;
  const sbom: Sbom = {
    ...all,
    serialNumber: '',
    metadata: {
      ...metadata,
      timestamp: new Date(epochSeconds * 1000).toISOString(),
      // npm names it after its directory.
      component: { ...publicPart(all.metadata.component), name: product.replace(/@[^@]*$/, '') },
    },
    components: shipped.map(publicPart),
    dependencies: [
      // All of them are in the program: what each needs of the others is below it.
      { ref: product, dependsOn: [...refs] },
      ...all.dependencies
        .filter(({ ref }) => refs.has(ref))
        .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) })),
    ],
  };
  return { ...sbom, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(sbom))}` };
}

/** A UUID of version 8 (RFC 9562): the same for the same text. */
export function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
