// The descriptions of the settings as `/api/schema` gives them.

export interface ValueSchema {
  readonly type?: string;
  readonly enum?: readonly (string | number)[];
  readonly const?: unknown;
  readonly anyOf?: readonly ValueSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly patternText?: string;
  readonly description?: string;
  readonly items?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
}

export interface Description extends ValueSchema {
  readonly title: string;
  readonly description: string;
  readonly default?: unknown;
  readonly readOnly: boolean;
  readonly writeOnly: boolean;
  readonly 'x-kind': 'setting' | 'derived' | 'view' | 'action';
  readonly 'x-group': string;
  readonly 'x-read': readonly string[];
  readonly 'x-write': readonly string[];
  /** Whether it can be part of a preset. */
  readonly 'x-preset': boolean;
  readonly 'x-unit'?: string;
  readonly 'x-effect'?: 'none' | 'live' | 'renegotiate' | 'rebuild';
  readonly 'x-consequence'?: string;
}

export interface Schema {
  readonly properties: Readonly<Record<string, Description>>;
  readonly 'x-groups': readonly { readonly name: string; readonly title: string }[];
}
