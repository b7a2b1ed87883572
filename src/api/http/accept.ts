// Which of the forms that a route can answer in its client would rather have (RFC 9110, 12.5.1).

/** The one with the greatest weight in the Accept header; the first of those that weigh the same. */
export function preferred<T extends string>(accept: string | undefined, forms: readonly [T, ...T[]]): T {
  const weights = (accept ?? '*/*').split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    return [type, Number.isNaN(weight) ? 0 : weight] as const;
  });
  const byRange = new Map(weights);
  // The closest range counts, not the one that weighs most.
  const weigh = (form: T): number =>
    byRange.get(form) ?? byRange.get(`${form.split('/')[0] ?? ''}/*`) ?? byRange.get('*/*') ?? 0;
  return forms.reduce((best, form) => (weigh(form) > weigh(best) ? form : best));
}
