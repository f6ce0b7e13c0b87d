interface Server {
  getInstance(): { post(path: string, handler: () => void): void; route(options: { url: string; method: string; handler: () => void }): void };
}

export function register(server: Server, handler: () => void): void {
  // line 7: nobody says who checks access
  server.getInstance().post('/mcp', handler);
  // access:
  server.getInstance().route({ url: '/mcp', method: 'GET', handler }); // line 9: a word without an answer
}
