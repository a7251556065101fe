// Where the project is published. All of it follows from `repository` in package.json: a fork changes that line and runs `npm run docs`.

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Publication {
  readonly version: string;
  readonly licence: string;
  readonly description: string;
  /** The versions of Node that the package runs on. */
  readonly node: string;
  /** `owner/name` */
  readonly slug: string;
  /** The page of the repository. */
  readonly home: string;
  /** The repository of the image, without a tag. */
  readonly image: string;
  /** The OCI repository below which the chart is pushed. */
  readonly charts: string;
  /** The address of a file of the repository, at the tag of this version. */
  fileUrl(path: string): string;
}

/** The part of package.json that is needed. */
export interface PackageJson {
  readonly version: string;
  readonly license: string;
  readonly description: string;
  readonly repository: { readonly url: string };
  readonly engines: { readonly node: string };
}

/** @throws Error if the repository is not one of GitHub, whose registry and workflows are used */
export function publicationOf({ version, license, description, repository, engines }: PackageJson): Publication {
  const slug = /^git\+https:\/\/github\.com\/([\w.-]+\/[\w.-]+?)\.git$/.exec(repository.url)?.[1];
  if (slug === undefined) throw new Error(`package.json: repository.url is not git+https://github.com/OWNER/NAME.git`);
  // Registries allow no capitals.
  const [owner = '', name = ''] = slug.toLowerCase().split('/');
  return {
    version,
    licence: license,
    description,
    node: engines.node,
    slug,
    home: `https://github.com/${slug}`,
    image: `ghcr.io/${owner}/${name}`,
    charts: `ghcr.io/${owner}/charts`,
    fileUrl: (path) => `https://raw.githubusercontent.com/${slug}/v${version}/${path}`,
  };
}

const root = resolve(import.meta.dirname, '..');

export function readPublication(): Publication {
  return publicationOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
}
