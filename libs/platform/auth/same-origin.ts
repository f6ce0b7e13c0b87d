type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Whether a browser says that a request comes from a page of this very host. Under `Referrer-Policy: no-referrer` forms send
 * `Origin: null`, so then the fetch metadata must say it; where neither does, as over plain HTTP from another machine, the answer is no.
 */
export function isSameOrigin(headers: Headers): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site !== undefined && site !== 'same-origin') return false;
  if (typeof origin !== 'string' || origin === 'null') return site === 'same-origin';
  return URL.canParse(origin) && new URL(origin).host === host;
}
