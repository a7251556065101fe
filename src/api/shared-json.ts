// JSON in which equal objects exist once. The CRD has the same fields for the source, the destination and the progress.

/** An entry of the list is an object whose fields may refer to earlier entries, as `{"$": 3}`. The last one is the value. */
export interface SharedJson {
  readonly list: readonly unknown[];
}

/** Smaller objects are not worth a reference. */
const SMALLEST_CHARS = 80;

/** @param value plain data without a key `$` */
export function shareJson(value: object): SharedJson {
  const list: unknown[] = [];
  const indexes = new Map<string, number>();
  const shared = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(shared);
    if (typeof node !== 'object' || node === null) return node;
    const own = Object.fromEntries(Object.entries(node).map(([name, field]) => [name, shared(field)]));
    const text = JSON.stringify(own);
    if (text.length < SMALLEST_CHARS && node !== value) return own;
    const index = indexes.get(text) ?? list.push(own) - 1;
    indexes.set(text, index);
    return { $: index };
  };
  shared(value);
  return { list };
}

/** Works in place: equal objects are then the same object. */
export function unshareJson({ list }: SharedJson): unknown {
  const restored = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    const record = node as Record<string, unknown>;
    const index = record['$'];
    if (typeof index === 'number') return list[index];
    for (const name in record) record[name] = restored(record[name]);
    return record;
  };
  for (const entry of list) restored(entry);
  return list.at(-1);
}
