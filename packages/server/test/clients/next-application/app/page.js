import { auth0 } from '../lib/auth0';

export default async function Page() {
  const session = await auth0.getSession();
  if (!session) return <a href="/auth/login">Log in</a>;
  return (
    <main>
      <p>Hello {session.user.email}</p>
      <a href="/auth/logout">Log out</a>
    </main>
  );
}
