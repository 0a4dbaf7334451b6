import { fetchTokens, loginForm, times, tokenRequest } from '../requests.ts';
import type { Row } from '../row.ts';
import { cpuFigure, targetOf } from '../workbench.ts';

const CONNECTIONS = 16;

/** Refresh with rotation: an id token and a JWT access token, so two signatures are in it. Each connection has a family of its own. */
export const refresh: Row = {
  name: 'refresh',
  async measure(workbench) {
    const subject = await workbench.subject();
    const login = loginForm(subject, {
      scope: 'openid profile email offline_access',
      audience: subject.firstRun.api.identifier,
    });
    const families = await Promise.all(times(CONNECTIONS, login).map((form) => fetchTokens(subject, form)));
    const request = tokenRequest({
      grant_type: 'refresh_token',
      ...subject.firstRun.password_client,
      refresh_token: '{refresh_token}',
    });
    const cost = await workbench.measureRequests(targetOf(subject), () =>
      families.map(({ refresh_token }) => ({ ...request, ...(refresh_token && { refreshToken: refresh_token }) })),
    );
    return [cpuFigure(`refresh with rotation, id and access token (${cost.perSecond.toFixed(0)}/s)`, cost, 3.5)];
  },
};
