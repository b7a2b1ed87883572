// The names of the browser that the types of playwright-core mention. All of the browser's types would change what the
// rest of the project, which runs in Node, is checked against.
interface Node {
  readonly nodeType: number;
}
interface HTMLElement extends Node {
  readonly hidden: boolean;
}
interface SVGElement extends Node {
  readonly tabIndex: number;
}
type HTMLElementTagNameMap = Record<string, HTMLElement>;
