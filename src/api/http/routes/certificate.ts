// The certificate of HTTPS and RTSPS: to look at, and to exchange for one's own while everything runs.
import { Type, type Static } from '@sinclair/typebox';
import type { Certificate } from '../../../access/certificate.js';
import type { Identity } from '../../../access/identity.js';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';

const tags = ['certificate'];
const Shown = Type.Object({
  fingerprint: Type.String({ description: 'SHA-256, to compare with what a client shows.' }),
  subject: Type.String(),
  names: Type.Array(Type.String(), { description: 'Names and addresses that it is good for.' }),
  notBefore: Type.String(),
  notAfter: Type.String(),
  selfSigned: Type.Boolean(),
  cert: Type.String({ description: 'PEM.' }),
});
const pem = Type.String({ minLength: 1, maxLength: 65_536, description: 'PEM.' });

export function certificateRoutes(
  app: App,
  { certificate, replaceCertificate, renewCertificate, journal }: Services,
): void {
  const note = ({ name, via, address }: Identity, event: string, { fingerprint }: Certificate): void => {
    journal.note({
      kind: 'event',
      at: Date.now(),
      by: name,
      via,
      ...(address === undefined ? {} : { from: address }),
      event,
      detail: { fingerprint },
    });
  };

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
      note(identity, 'certificate replaced', next);
      return shown(next);
    },
  );
  app.post(
    '/api/certificate/self-signed',
    {
      config: { access: ['Network_rw'] },
      schema: {
        tags,
        summary: 'Make a new certificate here and use it, from the next connection on',
        description: 'For the names and addresses that the machine has now. Clients have to trust it anew.',
        response: answers(Shown),
      },
    },
    async ({ identity }) => {
      const next = await renewCertificate();
      note(identity, 'certificate made anew', next);
      return shown(next);
    },
  );
}

/** Never the key. */
function shown({ key: _key, names, ...rest }: Certificate): Static<typeof Shown> {
  return { ...rest, names: [...names] };
}
