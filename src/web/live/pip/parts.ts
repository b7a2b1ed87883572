// What the editor of the small picture is made of, loaded when somebody opens it.
export { PipEditor } from './pipEditor.svelte.js';
export { default as PipFrame } from './PipFrame.svelte';
export { default as PipPanel } from './PipPanel.svelte';
