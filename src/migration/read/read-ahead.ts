// Lets an async generator run ahead of its consumer by a bounded number of items.

/**
 * @param depth how many items may be requested in advance
 * @param discard receives items that were produced but not consumed, when the consumer stops early; then `source` is ended
 */
export async function* readAhead<T>(
  source: AsyncGenerator<T>,
  depth: number,
  discard: (item: T) => void,
): AsyncGenerator<T> {
  const ahead: Promise<IteratorResult<T>>[] = [];
  try {
    for (;;) {
      while (ahead.length < depth) {
        const next = source.next();
        // Awaited later, in order. Until then a failure must not count as unhandled.
        next.catch(() => undefined);
        ahead.push(next);
      }
      const result = await ahead.shift();
      if (result === undefined || result.done === true) return;
      yield result.value;
    }
  } finally {
    // After the items that were requested. Without it, a generator that waits at a `yield` would never give back what it holds.
    source.return(undefined).catch(() => undefined);
    for (const next of ahead) {
      next.then(
        (result) => result.done !== true && discard(result.value),
        () => undefined,
      );
    }
  }
}
