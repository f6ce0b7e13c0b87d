/** The page that links an account, for whoever has no console open: it says how, and does nothing. `nonce` is known to be hexadecimal. */
export function linkPage(publicUrl: string, nonce: string): string {
  const url = escaped(publicUrl);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>Link a Slack account</title></head>
<body>
<main>
<h1>Link a Slack account</h1>
<p>Somebody asked in Slack to link an account to a person in Holdfast. Whoever controls that account decides as that person from then on: go on only if it was you who asked, a moment ago.</p>
<h2>Look whose account it is</h2>
<pre>curl -H "Authorization: Bearer $HOLDFAST_TOKEN" ${url}/api/v1/slack/links/${nonce}</pre>
<h2>Link it to yourself</h2>
<pre>curl -H "Authorization: Bearer $HOLDFAST_TOKEN" -H "Content-Type: application/json" -d '{"nonce":"${nonce}"}' ${url}/api/v1/slack/links</pre>
<p>The token is your own. This page is good for 10 minutes and works once.</p>
</main>
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
