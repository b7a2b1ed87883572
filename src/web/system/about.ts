// What `/api/about`, `/readyz` and `/api/certificate` tell.

export interface Process {
  readonly name: 'server' | 'media';
  readonly pid: number;
  /** Percent of all processors; not known where the server has no video. */
  readonly load?: number;
  readonly memory: number;
}

export interface About {
  readonly version: string;
  readonly license: string;
  readonly node: string;
  readonly gstreamer?: string;
  readonly hostname: string;
  readonly platform: string;
  readonly architecture: string;
  readonly startedAt: number;
  readonly at: number;
  readonly addresses: readonly string[];
  readonly processes: readonly Process[];
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
}

export interface Certificate {
  readonly fingerprint: string;
  readonly subject: string;
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly selfSigned: boolean;
}
