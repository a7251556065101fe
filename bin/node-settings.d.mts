export const nodeFlags: readonly string[];
export const memoryVariables: Readonly<Record<string, string>>;
