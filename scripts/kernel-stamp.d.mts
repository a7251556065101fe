export function kernelFile(root: string): string;
export function kernelStamp(root: string): string;
export function kernelIsCurrent(root: string): boolean;
