// Which browser or program a log-in is of, as far as what it says of itself tells.

/** In an order in which none passes for another: nearly all of them say that they are Safari as well. */
const browsers = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const systems = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Mac OS', 'macOS'],
  ['Linux', 'Linux'],
] as const;

export function browserOf(userAgent: string | undefined): string | undefined {
  if (userAgent === undefined || userAgent === '') return undefined;
  const [, browser] = browsers.find(([sign]) => userAgent.includes(sign)) ?? [];
  if (browser === undefined) return userAgent.split(/[\s/(]/)[0];
  const [, system] = systems.find(([sign]) => userAgent.includes(sign)) ?? [];
  return system === undefined ? browser : `${browser} · ${system}`;
}
