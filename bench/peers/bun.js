// Topics of bun's server: who connects to /listen/NAME gets what is posted to /publish/NAME.
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  async fetch(request, server) {
    const path = new URL(request.url).pathname;
    if (path.startsWith("/listen/")) {
      return server.upgrade(request, { data: path.slice(8) }) ? undefined : new Response("", { status: 400 });
    }
    server.publish(path.slice(9), await request.text());
    return new Response("{}");
  },
  websocket: {
    open(socket) { socket.subscribe(socket.data); },
    message() {},
  },
});
