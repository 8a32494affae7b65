// Uses the declarations as an app does; the compiler checks it.
import type { HttpFailure, HttpResponse } from '../types/index';

async function use(): Promise<void> {
  const answer: HttpResponse = await cordovaHTTP.get('https://api.example/', { q: 1 }, { Accept: 'text/plain' });
  cordovaHTTP.post('https://api.example/', 'text', {}, (r) => console.log(r.data, answer.status), (f: HttpFailure) => console.log(f.error));
  await cordovaHTTP.enableSSLPinning(true);
  await cordon.auth.configure({ url: 'https://api.example', scheme: 'bearer', store: cordon.auth.secureStorage() });
  const client = cordon.auth.attach({ currentUser: null, applicationUrl: 'https://api.example' });
  const { verdict, line } = await cordon.policy.explain('https://api.example/', { kind: 'image' });
  console.log(client.applicationUrl, verdict === 'allow', line.toFixed());
  // @ts-expect-error: a scheme that does not exist
  await cordon.auth.configure({ url: 'https://api.example', scheme: 'basic' });
}

void use();
