import type { LoadRequest } from '../programs/load.ts';
import { bearerRequest, fetchTokens, loginForm, managementForm, times } from '../requests.ts';
import type { Figure, Row } from '../row.ts';
import { cpuFigure, type Subject, targetOf, type Workbench } from '../workbench.ts';

const CONNECTIONS = 32;

/** Reads that see a change of user or session at once, since nothing of users is cached. Beside them a server that says hello. */
export const reads: Row = {
  name: 'reads',
  async measure(workbench) {
    const subject = await workbench.subject();
    const hello = await workbench.measureRequests(await workbench.hello(), () =>
      times(CONNECTIONS, { method: 'GET', path: '/' }),
    );
    const figures: Figure[] = [];
    for (const { work, request, limit } of await requestsFor(subject)) {
      figures.push(...(await measureRead(workbench, subject, work, request, limit, hello.perSecond)));
    }
    return figures;
  },
};

async function requestsFor(subject: Subject) {
  const scope = 'openid profile email';
  const opaque = await fetchTokens(subject, loginForm(subject, { scope }));
  const jwt = await fetchTokens(subject, loginForm(subject, { scope, audience: subject.firstRun.api.identifier }));
  const management = await fetchTokens(subject, managementForm(subject));
  const listed = await fetch(`${subject.firstRun.http_origin}/api/v2/users`, {
    headers: { authorization: `Bearer ${management.access_token}` },
  });
  const [user] = (await listed.json()) as { user_id: string }[];
  const path = `/api/v2/users/${encodeURIComponent(user?.user_id ?? '')}`;
  return [
    { work: '/userinfo, opaque token', request: bearerRequest('/userinfo', opaque.access_token), limit: 0.6 },
    { work: '/userinfo, JWT', request: bearerRequest('/userinfo', jwt.access_token), limit: 0.6 },
    { work: 'GET /api/v2/users/{id}', request: bearerRequest(path, management.access_token), limit: 0.8 },
  ];
}

async function measureRead(
  workbench: Workbench,
  subject: Subject,
  work: string,
  request: LoadRequest,
  limit: number,
  helloPerSecond: number,
): Promise<Figure[]> {
  const cost = await workbench.measureRequests(targetOf(subject), () => times(CONNECTIONS, request));
  return [
    cpuFigure(work, cost, limit),
    {
      work: `${work}: requests a second`,
      ours: `${cost.perSecond.toFixed(0)}/s`,
      yardstick: `node:http hello world ${helloPerSecond.toFixed(0)}/s`,
      measured: cost.perSecond / helloPerSecond,
      unit: 'of it',
      goal: { is: 'at least', limit: 0.15 },
    },
  ];
}
