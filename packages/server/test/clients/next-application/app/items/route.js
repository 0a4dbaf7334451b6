import { auth0 } from '../../lib/auth0';

/** Calls the API with the session's token; `?renew` asks for a new one first. */
export async function GET(request) {
  const refresh = new URL(request.url).searchParams.has('renew');
  const { token } = await auth0.getAccessToken({ refresh });
  const answer = await fetch(process.env.API, { headers: { authorization: `Bearer ${token}` } });
  return Response.json({ token, status: answer.status, ...(await answer.json()) });
}
