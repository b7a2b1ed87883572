/** Over plain HTTP browsers have no clipboard to offer, but they still copy what is selected. */
export async function copy(text: string): Promise<boolean> {
  const { clipboard } = navigator as { readonly clipboard?: Clipboard };
  if (clipboard !== undefined && isSecureContext) {
    await clipboard.writeText(text);
    return true;
  }
  const field = document.createElement('textarea');
  const before = document.activeElement;
  field.value = text;
  field.className = 'heard-only';
  document.body.append(field);
  field.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is nothing else without encryption
  const isCopied = document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return isCopied;
}
