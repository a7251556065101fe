// The indexes of a Job as its status lists them. Pure.

/** The numbers in ranges such as `1,3-5`, in their order. Anything else in the text is ignored. */
export function indexesIn(ranges: string | undefined): number[] {
  return (ranges ?? '').split(',').flatMap((range) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) return [];
    const from = Number(first);
    return Array.from({ length: Math.max(0, Number(last) - from + 1) }, (_, step) => from + step);
  });
}
