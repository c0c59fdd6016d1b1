/** Placeholder until openapi/openapi.json exists; `npm run gen` overwrites this file. */

export interface paths {
  "/api/v1/auth/sign-in": {
    parameters: { query?: never; header?: never; path?: never; cookie?: never };
    get?: never;
    put?: never;
    post: {
      parameters: { query?: never; header?: never; path?: never; cookie?: never };
      requestBody: { content: { "application/json": { email: string; password: string } } };
      responses: { 200: { headers: Record<string, unknown>; content: { "application/json": unknown } } };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: never;
}
export type operations = Record<string, never>;
