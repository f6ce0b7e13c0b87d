import { html, type Markup } from './html.ts';
import type { Page } from './layout.ts';

export interface SignInFacts {
  /** Where to go afterwards. */
  readonly next: string;
  /** Why it did not work. */
  readonly refused?: string;
  /** What brought the person here. */
  readonly why?: Markup;
}

export function signInPage({ next, refused, why }: SignInFacts): Page {
  return {
    title: 'Sign in',
    body: html`<h1>Sign in</h1>
${why}
${refused !== undefined && html`<p class="refused" role="alert">${refused}</p>`}
<form method="post" action="/console/sign-in">
<input type="hidden" name="next" value="${next}">
<label for="token">Your API token</label>
<input id="token" name="token" type="password" required autocomplete="current-password" spellcheck="false" aria-describedby="token-help">
<p id="token-help" class="quiet">It begins with hf_. The session lasts twelve hours, or until the token is revoked; the token itself is not kept.</p>
<button>Sign in</button>
</form>`,
  };
}

/** Browsers do not send the session with a link that was opened from another site; a link on our own page brings it. */
export function reviewSignInPage(path: string): Page {
  return signInPage({
    next: path,
    why: html`<p>A call of an agent waits for somebody. Sign in as the person this link was sent to, and you see what it is about. Nothing is decided by opening the link.</p>
<p><a href="${path}">I am signed in already</a></p>`,
  });
}

export function messagePage(title: string, text: string, who?: Page['who']): Page {
  return { title, ...(who ? { who } : {}), body: html`<h1>${title}</h1><p class="refused" role="alert">${text}</p><p><a href="/console">Go to what waits for you</a></p>` };
}
