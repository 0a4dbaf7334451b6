import { type ServerProcess, startServerProcess } from '../server-process.ts';
import { bundleOf } from './page-bundle.ts';
import { registerApplication } from './register-application.ts';
import { type SpaApplication, startSpaApplication } from './spa-application.ts';
import { trustAuthority } from './trust-authority.ts';

export interface EmbeddedApplication extends SpaApplication {
  readonly server: ServerProcess;
}

interface Page {
  /** A file of this folder; `reactOf`: the package whose React it uses. */
  readonly page: string;
  readonly reactOf?: string;
  readonly grantTypes: readonly string[];
  /** What the page is told besides. */
  readonly settings: (server: ServerProcess) => Readonly<Record<string, string>>;
}

/** A server of its own, and an application that asks for passwords in a form of its own page. */
export async function startEmbeddedApplication({
  page,
  reactOf,
  grantTypes,
  settings,
}: Page): Promise<EmbeddedApplication> {
  const server = await startServerProcess();
  trustAuthority(server.caFile);
  const client = await registerApplication(server, {
    name: 'Embedded',
    app_type: 'spa',
    grant_types: [...grantTypes],
    cross_origin_authentication: true,
  });
  const application = await startSpaApplication({
    issuerOrigin: server.origin,
    domain: new URL(server.origin).host,
    clientId: client.clientId,
    audience: server.firstRun.api.identifier,
    bundle: await bundleOf(page, reactOf),
    settings: settings(server),
  });
  await client.update({
    callbacks: [`${application.origin}/`],
    web_origins: [application.origin],
    allowed_logout_urls: [`${application.origin}/`],
  });
  return {
    ...application,
    server,
    async close() {
      await application.close();
      await server.stop();
    },
  };
}
