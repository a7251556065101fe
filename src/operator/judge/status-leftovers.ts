// Fields that other managers added to the status. Server-side apply does not remove them, because it removes only what its own manager once
// set. Pure.

/**
 * A merge patch (RFC 7386) that removes from `there` whatever `wanted` does not have; undefined if there is nothing to remove. Values that
 * differ are left alone, because the apply has set them. A list with too many entries is replaced.
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
