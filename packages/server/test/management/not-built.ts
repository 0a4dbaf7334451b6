/** Operations under the paths of what is built that belong to what is not: multi-factor, groups, provisioning … */
export const NOT_BUILT: readonly string[] = [
  ...everyMethod('/users/{id}/authentication-methods', ['GET', 'POST', 'PUT', 'DELETE']),
  ...everyMethod('/users/{id}/authentication-methods/{authentication_method_id}', ['GET', 'PATCH', 'DELETE']),
  'DELETE /users/{id}/authenticators',
  'DELETE /users/{id}/multifactor/{provider}',
  'GET /users/{id}/enrollments',
  'POST /users/{id}/multifactor/actions/invalidate-remember-browser',
  'POST /users/{id}/recovery-code-regeneration',
  'POST /users/{id}/risk-assessments/clear',

  'GET /users/{id}/connected-accounts',
  'GET /users/{id}/organizations',

  'GET /users/{id}/groups',
  'GET /users/{id}/effective-permissions',
  'GET /users/{id}/effective-permissions/sources/effective-roles',
  'GET /users/{id}/effective-roles',
  'GET /users/{id}/effective-roles/sources/groups',
  ...everyMethod('/roles/{id}/groups', ['GET', 'POST', 'DELETE']),

  'POST /clients/cimd/preview',
  'POST /clients/cimd/register',

  // Other strategies than auth0.
  'GET /connections/{id}/status',
  ...everyMethod('/connections/{id}/keys', ['GET', 'POST']),
  'POST /connections/{id}/keys/rotate',
  ...everyMethod('/connections/{id}/scim-configuration', ['GET', 'POST', 'PATCH', 'DELETE']),
  'GET /connections/{id}/scim-configuration/default-mapping',
  ...everyMethod('/connections/{id}/scim-configuration/tokens', ['GET', 'POST']),
  'DELETE /connections/{id}/scim-configuration/tokens/{token_id}',
  ...everyMethod('/connections/{id}/directory-provisioning', ['GET', 'POST', 'PATCH', 'DELETE']),
  'GET /connections/{id}/directory-provisioning/default-mapping',
  'POST /connections/{id}/directory-provisioning/synchronizations',
  ...everyMethod('/connections/{id}/directory-provisioning/synchronized-groups', ['GET', 'POST', 'PUT', 'DELETE']),
];

function everyMethod(path: string, methods: readonly string[]): string[] {
  return methods.map((method) => `${method} ${path}`);
}
