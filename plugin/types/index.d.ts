/** The interface of cordova-plugin-http, on fetch, with the platform's own pins. */
export interface HttpResponse {
  status: number;
  data: string;
  /** Names in lower case. CORS hides those that the server does not expose. */
  headers: Record<string, string>;
}

/** What a request fails with. A status of 0 means that no answer was read. */
export interface HttpFailure extends Error {
  status: number;
  error: string;
  headers: Record<string, string>;
}

export type Parameters = Record<string, unknown> | string | Blob | FormData | null | undefined;
export type HeaderMap = Record<string, string> | null | undefined;
type Success<T> = (result: T) => void;
type Failure = (failure: HttpFailure) => void;

type InQuery = (url: string, params?: Record<string, unknown> | null, headers?: HeaderMap, success?: Success<HttpResponse>, failure?: Failure) => Promise<HttpResponse>;
type InBody = (url: string, params?: Parameters, headers?: HeaderMap, success?: Success<HttpResponse>, failure?: Failure) => Promise<HttpResponse>;

export interface CordovaHTTP {
  getBasicAuthHeader(user: string, password: string): { Authorization: string };
  useBasicAuth(user: string, password: string): void;
  /** Sets a header of every request to every host; null removes it. */
  setHeader(name: string, value: string | null): void;
  /** Fails where the web view is not known to enforce pins: iOS, browser, Electron. Requests then fail until it is turned off. */
  enableSSLPinning(enable: boolean, success?: Success<void>, failure?: Failure): Promise<void>;
  /** acceptAllCerts(true) fails in all builds but those that are certainly for debugging. */
  acceptAllCerts(allow: boolean, success?: Success<void>, failure?: Failure): Promise<void>;
  /** validateDomainName(false) fails in all builds but those that are certainly for debugging. */
  validateDomainName(validate: boolean, success?: Success<void>, failure?: Failure): Promise<void>;
  get: InQuery;
  head: InQuery;
  delete: InQuery;
  post: InBody;
  put: InBody;
  patch: InBody;
  uploadFile(url: string, params: Record<string, unknown> | null, headers: HeaderMap, filePath: string | Blob, name: string, success?: Success<HttpResponse>, failure?: Failure): Promise<HttpResponse>;
  /** Writes with cordova-plugin-file and gives its FileEntry. */
  downloadFile(url: string, params: Record<string, unknown> | null, headers: HeaderMap, filePath: string, success?: Success<unknown>, failure?: Failure): Promise<unknown>;
}

/** Where a session may be kept over restarts. A missing key rejects or gives null. */
export interface SessionStore {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
  remove(key: string): Promise<unknown>;
}

export interface AuthOptions {
  /** The backend that signs in and refreshes: https only. */
  url: string;
  /** Further origins that may get the token: https only. */
  origins?: string[];
  /** X-ZUMO-AUTH (usually) or Authorization: Bearer. */
  scheme?: 'zumo' | 'bearer';
  store?: SessionStore;
}

export interface Auth {
  /** Resolves to whether a kept session was found. */
  configure(options: AuthOptions): Promise<boolean>;
  signIn(provider: string, credentials: Record<string, string>): Promise<{ userId: string }>;
  signOut(): Promise<void>;
  set(token: string | null, userId?: string): Promise<void>;
  user(): { userId: string } | null;
  /** The header that a request to this URL gets; null for other origins. */
  header(url: string): Promise<{ name: string; value: string } | null>;
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
  refresh(): Promise<void>;
  /** Makes a client of azure-mobile-apps-client use this session. */
  attach<Client extends { currentUser?: unknown }>(client: Client): Client;
  /** Returns a function that ends it. */
  onChange(listener: (userId: string | null) => void): () => void;
  /** A store on cordova-plugin-secure-storage. */
  secureStorage(name?: string): SessionStore;
}

export interface Explanation {
  url: string;
  platform: string;
  kind: string;
  verdict: 'block' | 'allow' | 'launch' | 'bypass';
  /** The origin or href that decided, as written; "" if none did. */
  rule: string;
  /** Its line in config.xml; 0 if none did. */
  line: number;
  reason: string;
  text: string;
}

export interface Policy {
  /** Rejects in builds that do not carry the engine (preference CordonExplain). */
  explain(url: string, about?: { kind?: string; platform?: string }): Promise<Explanation>;
}

export interface Cordon {
  auth: Auth;
  policy: Policy;
  http: CordovaHTTP;
}

declare global {
  const cordovaHTTP: CordovaHTTP;
  const cordon: Cordon;
  interface Window {
    cordovaHTTP: CordovaHTTP;
    cordon: Cordon;
  }
}
