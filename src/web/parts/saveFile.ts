/** Gives somebody a file that was made here, as if the server had sent it. */
export function saveFile(name: string, type: string, parts: readonly string[]): void {
  const address = URL.createObjectURL(new Blob([...parts], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The download has taken what it needs once the click is over.
  setTimeout(() => {
    URL.revokeObjectURL(address);
  });
}

/** For names of files: the time of now, in which no system finds a sign that it cannot take. */
export function stampOfNow(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(':', '-');
}
