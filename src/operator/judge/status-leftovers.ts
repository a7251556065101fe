// What somebody else has put into a status and an apply leaves standing, since server-side apply removes only what its own manager once set.
// Pure; called by status-writer.ts.

/**
 * A merge patch (RFC 7386) that takes from `there` whatever `wanted` does not have; undefined when there is nothing to take. Values that differ
 * are none of its business: applying has set them. A list is replaced when it has entries too many.
 */
export function leftoversPatch(there: object, wanted: object): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  const values = new Map<string, unknown>(Object.entries(wanted));
  for (const [name, value] of Object.entries(there)) {
    const own = values.get(name);
    if (own === undefined) patch[name] = null;
    else if (Array.isArray(value) && Array.isArray(own)) {
      if (value.length > own.length) patch[name] = own;
    } else if (isObject(value) && isObject(own)) {
      const inner = leftoversPatch(value, own);
      if (inner !== undefined) patch[name] = inner;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
