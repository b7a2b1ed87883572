/** At once and again and again, as long as somebody looks; until the function that it gives is called. */
export function everySoOften(ms: number, act: () => void): () => void {
  const timer = setInterval(() => {
    if (!document.hidden) act();
  }, ms);
  act();
  return () => {
    clearInterval(timer);
  };
}
