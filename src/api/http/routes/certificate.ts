// The certificate of HTTPS and RTSPS: to look at, and to exchange for one's own while everything runs.
import { Type, type Static } from '@sinclair/typebox';
import type { Certificate } from '../../../access/certificate.js';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';

const tags = ['certificate'];
const Shown = Type.Object({
  fingerprint: Type.String({ description: 'SHA-256, to compare with what a client shows.' }),
  subject: Type.String(),
  notAfter: Type.String(),
  selfSigned: Type.Boolean(),
  cert: Type.String({ description: 'PEM.' }),
});
const pem = Type.String({ minLength: 1, maxLength: 65_536, description: 'PEM.' });

export function certificateRoutes(app: App, { certificate, replaceCertificate, journal }: Services): void {
  app.get(
    '/api/certificate',
    {
      config: { access: ['Network_r', 'Network_rw', 'System_r', 'System_rw'] },
      schema: { tags, summary: 'The certificate in use', response: answers(Shown) },
    },
    () => shown(certificate()),
  );
  app.put(
    '/api/certificate',
    {
      config: { access: ['Network_rw'] },
      schema: {
        tags,
        summary: 'Use another certificate, from the next connection on',
        body: Type.Object({ cert: pem, key: pem }, { additionalProperties: false }),
        response: answers(Shown),
      },
    },
    async ({ identity, body: { cert, key } }) => {
      const next = await replaceCertificate(cert, key);
      journal.note({
        kind: 'event',
        at: Date.now(),
        by: identity.name,
        via: identity.via,
        ...(identity.address === undefined ? {} : { from: identity.address }),
        event: 'certificate replaced',
        detail: { fingerprint: next.fingerprint },
      });
      return shown(next);
    },
  );
}

/** Never the key. */
function shown({ fingerprint, subject, notAfter, selfSigned, cert }: Certificate): Static<typeof Shown> {
  return { fingerprint, subject, notAfter, selfSigned, cert };
}
