// Sign in: by the one-time link that led here, or by the cookie file's content.
import {h} from '../dom.js';
import {daemon, signIn} from '../rpc.js';
import {command, form, field, problem} from '../parts.js';

export const title = 'Sign in';

export async function show(page) {
  const [token] = page.parameters;
  if (token) {
    // The link is used up in a moment; it shall not stay in the address line either.
    history.replaceState(null, '', '#/login');
    page.show(h('p', {role: 'status'}, 'Signing in\u2026'));
    try {
      await signIn('Link', token);
      return;
    } catch (error) {
      if (page.alive) page.show(problem(error), ...ways());
      return;
    }
  }
  if (daemon.state === 'connecting') daemon.connect();
  page.show(...ways());
}

function ways() {
  return [
    h('section', {class: 'card narrow', 'aria-labelledby': 'by-link'}, h('h2', {id: 'by-link'}, 'By a link'),
      command('leither dashboard', 'On this machine, type this and open the link it prints. It is good once, for two minutes.')),
    h('section', {class: 'card narrow', 'aria-labelledby': 'by-cookie'}, h('h2', {id: 'by-cookie'}, 'By the cookie file'),
      h('p', 'Paste what the file ', h('code', 'cookie'), ' in the daemon\u2019s data directory holds. It is new at each start of the daemon.'),
      form('Sign in', field('Content of the cookie file', (at) => h('input', {type: 'password', autocomplete: 'off', spellcheck: 'false', required: true, ...at, name: 'cookie'})),
        async ({cookie}) => {
          const secret = cookie.trim();
          if (!/^[0-9a-f]{64}$/.test(secret)) throw Object.assign(new Error('The file holds 64 digits and letters from a to f. Paste all of them.'), {name: 'not_a_cookie'});
          await signIn('Bearer', secret);
        })),
  ];
}
