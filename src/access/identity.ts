// Who is asking. An identity holds no rights of its own: it looks them up at every use,
// so that a change of role, permission or password counts at once, also on connections that are open.
import { permissionsIn, type Mask, type Permission } from '../observables/permissions.js';
import type { Actor, Via } from '../store/actor.js';

/** Where a request comes from. */
export interface Origin {
  readonly via: Via;
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** What the identity rests on: a live answer to "may it still, and what". */
export interface Grant {
  readonly name: string;
  readonly sessionId?: string;
  readonly tokenId?: string;
  mask(): Mask;
  /** False once the session or token has ended or the account has gone. */
  valid(): boolean;
}

export class Identity implements Actor {
  readonly name: string;
  readonly via: Via;
  readonly address: string | undefined;
  readonly sessionId: string | undefined;
  readonly tokenId: string | undefined;
  readonly #grant: Grant;

  constructor(grant: Grant, { via, address }: Origin) {
    this.#grant = grant;
    this.name = grant.name;
    this.via = via;
    this.address = address;
    this.sessionId = grant.sessionId;
    this.tokenId = grant.tokenId;
  }

  get mask(): Mask {
    return this.#grant.valid() ? this.#grant.mask() : 0;
  }

  get valid(): boolean {
    return this.#grant.valid();
  }

  get permissions(): Permission[] {
    return permissionsIn(this.mask);
  }

  get anonymous(): boolean {
    return this.name === '';
  }

  may(...needs: readonly Permission[]): boolean {
    const held = new Set(this.permissions);
    return needs.some((need) => held.has(need));
  }
}
