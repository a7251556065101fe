// The spellings in which a secret may appear.

export function spellingsOf(value: string): string[] {
  return [value, encodeURIComponent(value), Buffer.from(value).toString('base64').replace(/=*$/, '').slice(0, -1)];
}
