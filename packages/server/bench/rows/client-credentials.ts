import { median } from '../program.ts';
import type { OidcProviderTask } from '../programs/oidc-provider.ts';
import { clientCredentialsForm, times, tokenRequest } from '../requests.ts';
import type { Row } from '../row.ts';
import { cpuFigure, targetOf } from '../workbench.ts';

const CONNECTIONS = 32;

/** A token for an API, each signed anew with its own jti and its event durable; and beside it raw oidc-provider without any log. */
export const clientCredentials: Row = {
  name: 'client-credentials',
  async measure(workbench) {
    const subject = await workbench.subject();
    const cores = await workbench.cores();
    const form = clientCredentialsForm(subject);
    const signatures: number[] = [];
    const sample = async () => signatures.push(await cores.perSecond('signature', 500));
    await sample();
    const ours = await workbench.measureRequests(targetOf(subject), () => times(CONNECTIONS, tokenRequest(form)));
    await sample();

    const { client_id, client_secret } = subject.firstRun.password_client;
    const provider = workbench.program<OidcProviderTask, { port: number }>('oidc-provider');
    const { port } = await provider.run({
      clientId: client_id,
      clientSecret: client_secret,
      audience: subject.firstRun.api.identifier,
      scope: subject.firstRun.api.scopes.join(' '),
    });
    const scope = subject.firstRun.api.scopes.join(' ');
    const theirs = await workbench.measureRequests({ pid: provider.pid, port, host: `127.0.0.1:${port}` }, () =>
      times(CONNECTIONS, tokenRequest({ ...form, resource: subject.firstRun.api.identifier, scope })),
    );
    await sample();
    await provider.stop();

    const allCores = median(signatures);
    return [
      cpuFigure('client-credentials token', ours, 1.6),
      {
        work: 'client-credentials tokens a second',
        ours: `${ours.perSecond.toFixed(0)}/s`,
        yardstick: `signatures of all cores ${allCores.toFixed(0)}/s`,
        measured: ours.perSecond / allCores,
        unit: 'of it',
        goal: { is: 'at least', limit: 0.5 },
      },
      cpuFigure(`the same of raw oidc-provider, no log (${theirs.perSecond.toFixed(0)}/s)`, theirs),
    ];
  },
};
