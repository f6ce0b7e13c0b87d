import { html, Markup } from './html.ts';
import { STYLE } from './style.ts';

export interface Page {
  readonly title: string;
  readonly body: Markup;
  /** Who is signed in, with the token of their forms. */
  readonly who?: { readonly user: string; readonly tenant: string; readonly form: string };
  /** A script of ours; pages work without it. */
  readonly script?: string;
}

/** A whole page. Style and script carry the nonce that its policy names; there is nothing else on it that loads or runs. */
export function document({ title, body, who, script }: Page, nonce: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – Holdfast</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="home">${who ? html`<a href="/console">Holdfast</a>` : 'Holdfast'}</p>
${who && html`<p class="quiet">Signed in as ${who.user} (${who.tenant})</p><form method="post" action="/console/sign-out"><input type="hidden" name="form" value="${who.form}"><button class="plain">Sign out</button></form>`}
</header>
<main id="main" tabindex="-1">
${body}
</main>
${script !== undefined && html`<script nonce="${nonce}">${new Markup(script)}</script>`}
</body>
</html>
`.text;
}
