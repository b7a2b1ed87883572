// What is compared: the loop in its modes, and the congestion control of browsers.
import { gccLoop } from './gcc.js';
import type { Controller } from './scenario.js';
import { theLoop } from './simulate.js';

export const auto: Controller = { name: 'auto', start: theLoop };
export const reference: Controller = { name: 'rotoclear', start: theLoop, settings: { mode: 'rotoclear' } };
export const fixed: Controller = { name: 'fixed', start: theLoop, settings: { mode: 'off' } };
export const gcc: Controller = { name: 'gcc', start: gccLoop };

export const controllers: readonly Controller[] = [auto, reference, fixed, gcc];
