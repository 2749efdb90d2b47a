// The identity provider of the tests: `oidc-provider` with a client, a few accounts and a login form that needs no
// JavaScript. Arguments: port, client id, client secret, file of permitted redirect addresses (one a line, read anew
// at each use, because a test learns its server's port late).
import { readFileSync } from 'node:fs';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, clientId, clientSecret, redirectFile] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const accounts = {
  alice: ['platform-admins'],
  bob: ['team-shop'],
  carol: ['team-pay', 'auditors'],
  dave: [],
};
const redirects = () => readFileSync(redirectFile, 'utf8').split('\n').filter(Boolean);

function key(kid, alg, type, options) {
  const jwk = generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' });
  return { ...jwk, kid, alg, use: 'sig' };
}

const provider = new Provider(issuer, {
  jwks: {
    keys: [
      key('rs', 'RS256', 'rsa', { modulusLength: 2048 }),
      key('es', 'ES256', 'ec', { namedCurve: 'P-256' }),
    ],
  },
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [`${issuer}/unused`],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  }],
  cookies: { keys: [randomBytes(16).toString('hex')] },
  pkce: { required: () => true },
  // The client reads groups from the identity token, as most providers put them there.
  conformIdTokenClaims: false,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: id[0].toUpperCase() + id.slice(1),
      email: `${id}@example.test`,
      email_verified: true,
      groups: accounts[id],
    }),
  }),
  // Nobody is asked for consent: the only client is the platform itself.
  async loadExistingGrant(context) {
    const { client, session, params } = context.oidc;
    const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
});
provider.Client.prototype.redirectUriAllowed = (uri) => redirects().includes(uri);

function form(note) {
  return `<!doctype html><title>Sign in</title><p>${note}</p>
<form method="post"><input name="login"><input name="password" type="password"><button>Sign in</button></form>`;
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

provider.use(async (context, next) => {
  if (!context.path.startsWith('/login/')) return next();
  context.type = 'html';
  context.body = form('');
  if (context.method !== 'POST') return;
  const fields = await body(context.req);
  const login = fields.get('login');
  if (Object.hasOwn(accounts, login) && fields.get('password') === `${login}-password`) {
    await provider.interactionFinished(context.req, context.res, { login: { accountId: login } });
    context.respond = false;
    return;
  }
  context.status = 401;
  context.body = form('wrong name or password');
});

provider.listen(Number(port), '127.0.0.1');
