// Single keys that do things, which can be turned off (WCAG 2.1.4), and never while somebody writes.
import { taste } from './taste.svelte.js';

export function shortcut(event: KeyboardEvent, keys: Readonly<Record<string, () => void>>): void {
  const { key, target, ctrlKey, altKey, metaKey } = event;
  const act = keys[key];
  if (act === undefined || !taste.shortcuts || ctrlKey || altKey || metaKey) return;
  if (target instanceof HTMLElement && target.closest('input, select, textarea') !== null) return;
  act();
  event.preventDefault();
}
